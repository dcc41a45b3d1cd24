import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON in and out. Integers are BigInteger, numbers with a point or an exponent Double; objects keep their order. */
final class Json {
    private static final int DEEPEST = 200;
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value(0);
        json.blanks();
        if (json.at != text.length()) {
            throw json.wrong("the end");
        }
        return value;
    }

    private IllegalArgumentException wrong(String wanted) {
        return new IllegalArgumentException("JSON: expected " + wanted + " at character " + at);
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        blanks();
        if (at >= text.length()) {
            throw wrong("a value");
        }
        return text.charAt(at);
    }

    private Object value(int depth) {
        if (depth > DEEPEST) {
            throw wrong("fewer brackets");
        }
        switch (peek()) {
            case '{': return object(depth);
            case '[': return array(depth);
            case '"': return string();
            case 't': return word("true", Boolean.TRUE);
            case 'f': return word("false", Boolean.FALSE);
            case 'n': return word("null", null);
            default: return number();
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong(word);
        }
        at += word.length();
        return value;
    }

    private Object number() {
        int start = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(start, at);
        if (digits.isEmpty()) {
            throw wrong("a value");
        }
        boolean whole = digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && digits.indexOf('E') < 0;
        return whole ? (Object) new BigInteger(digits) : (Object) Double.valueOf(digits);
    }

    private List<Object> array(int depth) {
        List<Object> items = new ArrayList<>();
        at++;
        while (peek() != ']') {
            items.add(value(depth + 1));
            separator(']');
        }
        at++;
        return items;
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        while (peek() != '}') {
            String name = string();
            if (peek() != ':') {
                throw wrong("':'");
            }
            at++;
            members.put(name, value(depth + 1));
            separator('}');
        }
        at++;
        return members;
    }

    private void separator(char end) {
        char next = peek();
        if (next == ',') {
            at++;
        } else if (next != end) {
            throw wrong("',' or '" + end + "'");
        }
    }

    private String string() {
        if (peek() != '"') {
            throw wrong("'\"'");
        }
        StringBuilder said = new StringBuilder();
        for (at++; at < text.length() && text.charAt(at) != '"'; at++) {
            char c = text.charAt(at);
            said.append(c == '\\' ? escaped() : c);
        }
        at++;
        return said.toString();
    }

    private char escaped() {
        char c = text.charAt(++at);
        switch (c) {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 3, at + 1), 16);
            default: return c;
        }
    }

    /** Append a value made of maps, lists, strings, numbers, booleans and null; ASCII only. */
    static void print(Object value, StringBuilder out) {
        if (value instanceof String) {
            quote((String) value, out);
        } else if (value instanceof List) {
            String before = "[";
            for (Object item : (List<?>) value) {
                print(item, out.append(before));
                before = ",";
            }
            out.append(before.equals("[") ? "[]" : "]");
        } else if (value instanceof Map) {
            String before = "{";
            for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
                quote((String) member.getKey(), out.append(before));
                print(member.getValue(), out.append(':'));
                before = ",";
            }
            out.append(before.equals("{") ? "{}" : "}");
        } else {
            out.append(value); // null, a boolean, or a number as Java writes it, which JSON reads
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
