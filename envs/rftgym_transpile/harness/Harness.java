import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs programs that nobody trusts, one after the other; itself runs in a sandbox.
 *
 * <p>Reads {@code programs.json}, a list of {"source", "entry", "inputs", "seconds"}; appends a line to
 * {@code results.jsonl} for each. One that runs over its time cannot be stopped from within: its line is written and this
 * process ends, and whoever started it starts another one with the rest.
 */
public final class Harness {
    static final int MOST_PRINTED = 1 << 16;
    private static final long STACK_BYTES = 4L << 20;
    private static final long COMPILE_MILLISECONDS = 45_000;
    private static final int BUSY_MACHINE = 5;

    private Harness() {}

    /** One program, with all that became of it so far. */
    private static final class Work implements Runnable {
        final Map<?, ?> program;
        final List<Object> inputs = Collections.synchronizedList(new ArrayList<>());
        final List<Object> results = Collections.synchronizedList(new ArrayList<>());
        final Calls.Capture out = new Calls.Capture();
        volatile String status = "timeout";
        volatile String message = "";
        volatile boolean compiled;

        Work(Map<?, ?> program) {
            this.program = program;
        }

        @Override
        public void run() {
            try {
                Map<String, byte[]> code = Sources.compile((String) program.get("source"));
                compiled = true;
                Loader loader = new Loader(code);
                Calls calls = new Calls(loader.all(), (String) program.get("entry"), out);
                for (Object input : (List<?>) program.get("inputs")) {
                    calls.call(input, inputs, results);
                }
                finish(out.full ? "output" : "ok", out.full ? "it prints more than " + MOST_PRINTED + " bytes" : "");
            } catch (Sources.Rejected error) {
                finish("compile", error.getMessage());
            } catch (Calls.NoSuchCall error) {
                finish(error.status, "input " + results.size() + ": " + error.getMessage());
            } catch (Writer.TooLarge error) {
                finish("output", "input " + results.size() + ": " + error.getMessage());
            } catch (OutOfMemoryError error) {
                finish("memory", "input " + results.size() + ": out of memory");
            } catch (Throwable error) { // the compiler, or a class that cannot be loaded: data like all the rest
                finish(compiled ? "crash" : "compile", String.valueOf(error));
            }
        }

        private void finish(String how, String why) {
            message = why;
            status = how;
        }

        Map<String, Object> line(int index) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("index", java.math.BigInteger.valueOf(index));
            line.put("status", status);
            line.put("message", String.valueOf(message));
            line.put("inputs", new ArrayList<>(inputs));
            line.put("expected", new ArrayList<>(results));
            return line;
        }
    }

    /** Sees the platform's classes and a program's own, nothing of this harness. */
    private static final class Loader extends ClassLoader {
        private final Map<String, byte[]> code;

        Loader(Map<String, byte[]> code) {
            super(ClassLoader.getPlatformClassLoader());
            this.code = code;
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = code.get(name);
            if (bytes == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, bytes, 0, bytes.length);
        }

        /** The outer classes first, since a method of theirs is meant rather than one of an inner class. */
        List<Class<?>> all() throws ClassNotFoundException {
            List<Class<?>> found = new ArrayList<>();
            for (String name : code.keySet()) {
                found.add(loadClass(name));
            }
            found.sort((one, other) -> depth(one) - depth(other));
            return found;
        }

        private static int depth(Class<?> type) {
            int depth = 0;
            for (Class<?> each = type.getEnclosingClass(); each != null; each = each.getEnclosingClass()) {
                depth++;
            }
            return depth;
        }
    }

    /** Run everything in {@code programs.json} of the working directory. */
    public static void main(String[] arguments) throws Exception {
        List<?> programs = (List<?>) Json.parse(Files.readString(Path.of("programs.json"), StandardCharsets.UTF_8));
        System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        try (FileOutputStream results = new FileOutputStream("results.jsonl", true)) {
            for (int index = 0; index < programs.size(); index++) {
                Work work = new Work((Map<?, ?>) programs.get(index));
                System.setOut(new PrintStream(work.out, true, StandardCharsets.UTF_8));
                boolean ended = ended(work);
                StringBuilder line = new StringBuilder();
                Json.print(work.line(index), line);
                results.write(line.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
                if (!ended || work.status.equals("memory")) {
                    Runtime.getRuntime().halt(3);
                }
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static boolean ended(Work work) throws InterruptedException {
        Thread thread = new Thread(null, work, "program", STACK_BYTES);
        thread.setDaemon(true);
        long budget = (long) (1000 * ((Number) work.program.get("seconds")).doubleValue());
        long start = System.nanoTime();
        thread.start();
        while (thread.isAlive() && !work.compiled && millisecondsSince(start) < COMPILE_MILLISECONDS) {
            thread.join(2);
        }
        if (!work.compiled && thread.isAlive()) {
            work.finish("timeout", "compiling takes longer than " + COMPILE_MILLISECONDS / 1000 + " s");
            return false;
        }
        thread.join(budget);
        while (thread.isAlive() && millisecondsSince(start) < BUSY_MACHINE * budget && !hasUsed(thread, budget)) {
            thread.join(50);
        }
        if (thread.isAlive()) {
            work.finish("timeout", "input " + work.results.size() + ": longer than " + budget + " ms in all");
        }
        return !thread.isAlive();
    }

    /** Whether a thread had so much of a processor: on a busy machine that takes longer, and is not its fault. */
    private static boolean hasUsed(Thread thread, long milliseconds) {
        return ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.getId()) / 1_000_000 >= milliseconds;
    }

    private static long millisecondsSince(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }
}
