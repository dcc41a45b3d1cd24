"""Simple families about texts."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, chars, ints, lists, texts
from rftgym_transpile.corpus.family import Family, over

MIXED: Final = texts("aeiobcdXYZAE059 -_.", 0, 12)

FAMILIES: Final = (
    Family(
        "count-letters",
        "train",
        "strings",
        0.05,
        "$name",
        """
        static int $name(String text) {
            int count = 0;
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c == '$a' || c == '$b') {
                    count++;
                }
            }
            return count$result;
        }
        """,
        """
        def $name(text):
            count = 0
            for i in range(len(text)):
                c = text[i]
                if c == "$a" or c == "$b":
                    count += 1
            return count$result
        """,
        args(MIXED, shown=[("aaeeoo",), ("e-a o05-",), ("oi",), ("-0",)]),
        [(' or c == "$b"', ""), ("range(len(text))", "range(1, len(text))"), ("count += 1", "count = 1")],
        over(name=("countLetters", "countMarks", "tallyChars"), a="a0o", b="e-i", result=("", "", " * 2")),
        simple=True,
    ),
    Family(
        "upper-minus-lower",
        "test",
        "strings",
        0.1,
        "$name",
        """
        static int $name(String word, char mark) {
            int score = 0;
            for (int i = 0; i < word.length(); i++) {
                char ch = word.charAt(i);
                if (Character.$first(ch)) {
                    score += $plus;
                } else if (ch == mark) {
                    score -= $minus;
                }
            }
            return score;
        }
        """,
        """
        def $name(word, mark):
            score = 0
            for i in range(len(word)):
                ch = word[i]
                if ch.$python():
                    score += $plus
                elif ch == mark:
                    score -= $minus
            return score
        """,
        args(MIXED, chars("-a.A0_"), shown=[("Ab-A0-", "-"), ("a0Z.", "a"), ("xx5", "5")]),
        [
            ("elif ch == mark", "if ch == mark"),
            ("score += $plus", "score += $minus"),
            ("score -= $minus", "score += $minus"),
        ],
        over(
            name=("scoreWord", "weighText", "rateLabel"),
            first=("isUpperCase", "isDigit", "isLetter"),
            python=("isupper", "isdigit", "isalpha"),
            plus=(1, 3, 2),
            minus=(2, 1, 5),
        ),
        simple=True,
    ),
    Family(
        "keep-letters",
        "train",
        "strings",
        0.05,
        "$name",
        """
        static String $name(String s) {
            StringBuilder sb = new StringBuilder();
            for (int i = 0; i < s.length(); i++) {
                if (Character.$kind(s.charAt(i))) {
                    sb.append(s.charAt(i));
                }
            }
            return sb.toString();
        }
        """,
        """
        def $name(s):
            sb = ""
            for i in range(len(s)):
                if s[i].$python():
                    sb += s[i]
            return sb
        """,
        args(MIXED, shown=[("a1B2-c",)]),
        [(".$python()", ".isspace()"), ("sb += s[i]", "sb = s[i] + sb")],
        over(
            name=("keepLetters", "filterDigits", "keepUpper"),
            kind=("isLetter", "isDigit", "isUpperCase"),
            python=("isalpha", "isdigit", "isupper"),
        ),
        simple=True,
    ),
    Family(
        "mask-text",
        "test",
        "strings",
        0.1,
        "$name",
        """
        static String $name(String s, int keep) {
            String out = "";
            for (int i = 0; i < s.length(); i++) {
                if (i $cmp keep || s.charAt(i) == '$same') {
                    out += s.charAt(i);
                } else {
                    out += '$mask';
                }
            }
            return out;
        }
        """,
        """
        def $name(s, keep):
            out = ""
            for i in range(len(s)):
                if i $cmp keep or s[i] == "$same":
                    out += s[i]
                else:
                    out += "$mask"
            return out
        """,
        args(MIXED, ints(-1, 9), shown=[("abc-def ghi_", 4), ("a_b-c d", 0)]),
        [(' or s[i] == "$same"', ""), ("i $cmp keep", "i == keep"), ('out += "$mask"', 'out += ""')],
        over(
            name=("maskText", "hideEnd", "coverCode"), cmp=("<", ">=", "<="), same=("-", " ", "_"), mask="*x#"
        ),
        simple=True,
    ),
    Family(
        "palindrome",
        "validation",
        "strings",
        0.1,
        "$name",
        """
        static boolean $name(String word) {
            int i = $start;
            int j = word.length() - 1;
            while (i < j) {
                if (word.charAt(i) != word.charAt(j)) {
                    return false;
                }
                i$up;
                j--;
            }
            return true;
        }
        """,
        """
        def $name(word):
            i = $start
            j = len(word) - 1
            while i < j:
                if word[i] != word[j]:
                    return False
                i $python
                j -= 1
            return True
        """,
        args(
            texts("ab", 0, 6, "abba", "aba", "abca", "a", "xabba", "aabaa", "abcba"),
            shown=[("abca",), ("xaba",), ("abcab",), ("aab",)],
        ),
        [
            ("j = len(word) - 1", "j = len(word) - 2"),
            ("return True", "return False"),
            ("i = $start", "i = $start + 1"),
        ],
        over(name=("isPalindrome", "mirror"), start=(0, 1), up=("++", "++"), python=("+= 1", "+= 1")),
        simple=True,
    ),
    Family(
        "text-hash",
        "test",
        "strings",
        0.2,
        "$name",
        """
        static int $name(String key, int seed) {
            int hash = seed;
            for (int i = 0; i < key.length(); i++) {
                hash = hash * $by + key.charAt(i);
            }
            return hash $last;
        }
        """,
        """
        def $name(key, seed):
            hash = seed
            for i in range(len(key)):
                hash = (hash * $by + ord(key[i]) + 2**31) % 2**32 - 2**31
            return hash $last
        """,
        args(
            texts("abcxyzAZ019 -", 0, 14, "polynomial hash"),
            ints(0, 100),
            shown=[("overflowing text", 7), ("abcdefghijklmnop", 1)],
        ),
        [
            ("(hash * $by + ord(key[i]) + 2**31) % 2**32 - 2**31", "hash * $by + ord(key[i])"),
            ("(hash * $by + ord(key[i]) + 2**31) % 2**32 - 2**31", "(hash * $by + ord(key[i])) % 2**32"),
            ("hash = seed", "hash = 0"),
        ],
        over(name=("textHash", "digest", "codeOf"), by=(31, 17, 33), last=("^ 5", "+ 1 - 1", "| 1")),
        simple=True,
    ),
    Family(
        "join-numbers",
        "train",
        "strings",
        0.1,
        "$name",
        """
        static String $name(int[] nums) {
            String out = "$open";
            for (int i = 0; i < nums.length; i++) {
                if (i > 0) {
                    out += "$glue";
                }
                out += nums[i];
            }
            return out + "$close";
        }
        """,
        """
        def $name(nums):
            out = "$open"
            for i in range(len(nums)):
                if i > 0:
                    out += "$glue"
                out += str(nums[i])
            return out + "$close"
        """,
        args(lists(ints(-20, 99), 0, 6)),
        [("if i > 0:", "if i >= 0:"), ("str(nums[i])", "nums[i]"), ('out + "$close"', "out")],
        over(
            name=("joinNumbers", "showItems", "listValues"),
            open=("[", "(", "<"),
            glue=(", ", " ", "; "),
            close=("]", ")", ">"),
        ),
        simple=True,
    ),
    Family(
        "squeeze-doubles",
        "test",
        "strings",
        0.1,
        "$name",
        """
        static String $name(String line) {
            StringBuilder out = new StringBuilder();
            for (int i = 0; i < line.length(); i++) {
                char c = line.charAt(i);
                if (i == 0 || c $cmp line.charAt(i - 1)) {
                    out.append(c);
                }$more
            }
            return out.toString();
        }
        """,
        """
        def $name(line):
            out = ""
            for i in range(len(line)):
                c = line[i]
                if i == 0 or c $cmp line[i - 1]:
                    out += c$python
            return out
        """,
        args(texts("aab -", 0, 12), shown=[("aabbccaa",), ("bookkeeper",), ("abc",)]),
        [("i == 0 or ", ""), ("line[i - 1]", "line[0]"), ("out += c", "out = c + out")],
        over(
            name=("squeezeText", "keepRepeats", "dropRuns"),
            cmp=("!=", "==", "!="),
            more=("", "", " else {\n            out.append('.');\n        }"),
            python=("", "", '\n        else:\n            out += "."'),
        ),
        simple=True,
    ),
    Family(
        "fizz",
        "train",
        "strings",
        0.05,
        "$name",
        """
        static String $name(int n) {
            if (n % $a == 0 && n % $b == 0) {
                return "$both";
            } else if (n % $a == 0) {
                return "$one";
            } else if (n % $b == 0) {
                return "$two";
            }
            return "" + n;
        }
        """,
        """
        def $name(n):
            if n % $a == 0 and n % $b == 0:
                return "$both"
            elif n % $a == 0:
                return "$one"
            elif n % $b == 0:
                return "$two"
            return str(n)
        """,
        args(ints(-30, 60, 15, 3, 5, 7, 14, 21, 4, 6, 12)),
        [
            ("n % $a == 0 and n % $b == 0", "n % $a == 0 or n % $b == 0"),
            ("return str(n)", "return n"),
            ('return "$two"', 'return "$one"'),
        ],
        over(
            name=("fizz", "labelOf", "markNumber"),
            a=(3, 7, 4),
            b=(5, 2, 6),
            both=("fizzbuzz", "both", "xy"),
            one=("fizz", "seven", "x"),
            two=("buzz", "even", "y"),
        ),
        simple=True,
    ),
    Family(
        "shift-letters",
        "train",
        "strings",
        0.15,
        "$name",
        """
        static String $name(String text) {
            StringBuilder sb = new StringBuilder();
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c >= '$low' && c <= '$high') {
                    sb.append((char) (c + $by));
                } else {
                    sb.append(c);
                }
            }
            return sb.toString();
        }
        """,
        """
        def $name(text):
            sb = ""
            for i in range(len(text)):
                c = text[i]
                if c >= "$low" and c <= "$high":
                    sb += chr(ord(c) + $by)
                else:
                    sb += c
            return sb
        """,
        args(MIXED, shown=[("amz AMZ 059",)]),
        [('c <= "$high"', 'c < "$high"'), ("ord(c) + $by", "ord(c) - $by"), ("sb += c\n", 'sb += ""\n')],
        over(name=("shiftLetters", "raiseText", "twistWord"), low="aA0", high="zZ5", by=(1, 32, 4)),
        simple=True,
    ),
    Family(
        "repeat-caption",
        "validation",
        "strings",
        0.1,
        "$name",
        """
        static String $name(String name, int times) {
            if (times < $least) {
                return "$none";
            }
            String out = name + "$lead";
            for (int i = 0; i < times; i++) {
                out += $part;
            }
            return out;
        }
        """,
        """
        def $name(name, times):
            if times < $least:
                return "$none"
            out = name + "$lead"
            for i in range(times):
                out += $python
            return out
        """,
        args(texts("abxyz", 0, 4), ints(-2, 7)),
        [
            ("range(times)", "range(times - 1)"),
            ("times < $least", "times <= $least"),
            ('out = name + "$lead"', 'out = "$lead"'),
        ],
        over(
            name=("repeatCaption", "drawStars", "buildLabel"),
            least=(0, 1, 2),
            none=("no", "none", ""),
            lead=(": ", "=", "|"),
            part=("i", "'*'", "name + i"),
            python=("str(i)", '"*"', "name + str(i)"),
        ),
        simple=True,
    ),
)
