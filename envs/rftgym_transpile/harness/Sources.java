import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Compiles a text in memory: a whole file, or bare methods, which get a class around them. */
final class Sources {
    static final String AROUND = "BareMethods";
    private static final String IMPORTS = "import java.util.*; import java.util.function.*; import java.util.stream.*; "
            + "import java.math.*; import java.text.*; import java.util.concurrent.*; import java.util.concurrent.atomic.*; "
            + "import java.util.regex.*; import java.io.*; import java.time.*; import java.nio.charset.StandardCharsets; ";
    private static final Pattern PACKAGE = Pattern.compile("(?m)^\\s*package\\s+[\\w.]+\\s*;");
    private static final Pattern IMPORT = Pattern.compile("(?m)^\\s*import\\s+(static\\s+)?[\\w.*]+\\s*;");
    private static final Pattern NOISE = Pattern.compile(
            "//[^\\n]*|/\\*(?s:.*?)\\*/|\"\"\"(?s:.*?)\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])+'");
    private static final Pattern TYPE = Pattern.compile("\\b(class|interface|enum|record)\\s+[A-Za-z_$]");
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

    /** The text does not compile. */
    static final class Rejected extends Exception {
        private static final long serialVersionUID = 1L;

        Rejected(String message) {
            super(message);
        }
    }

    private Sources() {}

    /** @return byte code by class name, in the order of declaration. */
    static Map<String, byte[]> compile(String source) throws Rejected {
        boolean bare = isBare(source);
        try {
            return compiled(bare ? wrapped(source) : whole(source));
        } catch (Rejected first) {
            try { // methods with a record beside them, or a class with a stray semicolon: worth a second try
                return compiled(bare ? whole(source) : wrapped(source));
            } catch (Rejected second) {
                throw first;
            }
        }
    }

    /** Whether something other than a type stands at the outermost level, that is a method's parameters. */
    private static boolean isBare(String source) {
        String text = IMPORT.matcher(NOISE.matcher(source).replaceAll(" ")).replaceAll(" ");
        StringBuilder outermost = new StringBuilder();
        int depth = 0;
        for (char c : text.toCharArray()) {
            depth -= c == '}' ? 1 : 0;
            if (depth == 0) {
                outermost.append(c == '}' ? ';' : c);
            }
            depth += c == '{' ? 1 : 0;
        }
        for (String part : outermost.toString().split(";")) {
            if (part.indexOf('(') >= 0 && !TYPE.matcher(part).find() && part.indexOf('@') < 0) {
                return true;
            }
        }
        return !TYPE.matcher(outermost).find();
    }

    private static String whole(String source) {
        return IMPORTS + PACKAGE.matcher(source).replaceFirst(" ");
    }

    private static String wrapped(String source) {
        String text = PACKAGE.matcher(source).replaceFirst(" ");
        StringBuilder own = new StringBuilder();
        IMPORT.matcher(text).results().forEach(found -> own.append(found.group().strip()).append(' '));
        return IMPORTS + own + "class " + AROUND + " { " + IMPORT.matcher(text).replaceAll(" ") + "\n}";
    }

    private static Map<String, byte[]> compiled(String text) throws Rejected {
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        Memory files = new Memory(COMPILER.getStandardFileManager(said, Locale.ROOT, null));
        List<String> options = List.of("-proc:none", "-nowarn", "-parameters", "-g:none", "-XDuseUnsharedTable=true");
        boolean good = COMPILER.getTask(null, files, said, options, null, List.of(new Text(text))).call();
        for (Diagnostic<?> each : said.getDiagnostics()) {
            if (!good && each.getKind() == Diagnostic.Kind.ERROR) {
                throw new Rejected("line " + each.getLineNumber() + ": " + each.getMessage(Locale.ROOT));
            }
        }
        if (!good) {
            throw new Rejected("the compiler gave up");
        }
        Map<String, byte[]> classes = new LinkedHashMap<>();
        files.written.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
        return classes;
    }

    /** The text, as a file whose name fits no public class: the check of it is switched off by {@link #isNameCompatible}. */
    private static final class Text extends SimpleJavaFileObject {
        private final String text;

        Text(String text) {
            super(URI.create("string:///Source.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreErrors) {
            return text;
        }

        @Override
        public boolean isNameCompatible(String name, Kind kind) {
            return true;
        }
    }

    private static final class Memory extends ForwardingJavaFileManager<JavaFileManager> {
        final Map<String, ByteArrayOutputStream> written = new LinkedHashMap<>();

        Memory(JavaFileManager files) {
            super(files);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location place, String name, JavaFileObject.Kind kind, FileObject near) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name.replace('.', '/') + ".class"), kind) {
                @Override
                public OutputStream openOutputStream() {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    written.put(name, bytes);
                    return bytes;
                }
            };
        }
    }
}
