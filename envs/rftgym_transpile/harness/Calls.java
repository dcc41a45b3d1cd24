import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Finds the entry of a compiled text, and calls it with one input after the other. */
final class Calls {
    /** The text has no such method, or none that takes these arguments. */
    static final class NoSuchCall extends Exception {
        private static final long serialVersionUID = 1L;
        final String status;

        NoSuchCall(String status, String message) {
            super(message);
            this.status = status;
        }
    }

    /** What a program prints, up to a limit. */
    static final class Capture extends OutputStream {
        private final ByteArrayOutputStream said = new ByteArrayOutputStream();
        volatile boolean full;

        @Override
        public synchronized void write(int value) {
            full = said.size() >= Harness.MOST_PRINTED;
            if (!full) {
                said.write(value);
            }
        }

        synchronized String take() {
            String text = said.toString(StandardCharsets.UTF_8);
            said.reset();
            return text;
        }
    }

    /** A method or constructor with arguments that fit it. */
    private static final class Fitted {
        final Executable called;
        final Object[] arguments;
        final List<Object> told = new ArrayList<>();
        int distance;

        Fitted(Executable called, List<?> json) throws ReflectiveOperationException {
            this.called = called;
            Type[] types = called.getGenericParameterTypes();
            if (types.length != called.getParameterCount()) {
                types = called.getParameterTypes(); // an inner class: the generic ones leave the outer object out
            }
            int last = types.length - 1;
            boolean spread = called.isVarArgs() && (json.size() != types.length || !takesAll(json.get(last)));
            List<Object> given = new ArrayList<>(spread ? json.subList(0, Math.min(last, json.size())) : json);
            if (spread && json.size() >= last) {
                given.add(json.subList(last, json.size()));
            }
            if (given.size() != types.length) {
                throw new IllegalArgumentException(given.size() + " arguments for " + types.length + " parameters");
            }
            arguments = new Object[types.length];
            distance = called.isVarArgs() ? 100 : 0;
            for (int i = 0; i < types.length; i++) {
                distance += Reader.distance(given.get(i), Reader.raw(types[i]));
                arguments[i] = Reader.read(given.get(i), types[i]);
                Object said = new Writer(true).write(arguments[i]);
                told.add(called.isVarArgs() && i == last ? Map.of("$varargs", said) : said);
            }
        }

        private static boolean takesAll(Object json) {
            return json instanceof List || json instanceof Map && ((Map<?, ?>) json).containsKey("$varargs");
        }

        List<Object> written() throws ReflectiveOperationException {
            List<Object> said = new ArrayList<>();
            for (Object each : arguments) {
                said.add(new Writer(false).write(each));
            }
            return said;
        }
    }

    private final List<Class<?>> classes;
    private final String name;
    private final String owner;
    private final Class<?> constructed;
    private final Capture out;

    Calls(List<Class<?>> classes, String entry, Capture out) throws NoSuchCall {
        this.classes = classes;
        this.out = out;
        String[] path = entry.split("\\.");
        this.name = path[path.length - 1];
        this.owner = path.length > 1 ? path[path.length - 2] : "";
        Class<?> named = null;
        for (Class<?> each : classes) {
            named = named == null && each.getSimpleName().equals(name) ? each : named;
        }
        boolean method = methods(null, name).iterator().hasNext();
        if (named == null && !method) {
            throw new NoSuchCall("missing", "there is no method or class " + name);
        }
        this.constructed = method ? null : named;
    }

    /** Methods that the entry may mean: those of the class that it names, or of all classes. */
    private List<Method> meant() {
        for (Class<?> each : classes) {
            List<Method> own = each.getSimpleName().equals(owner) ? methods(each, name) : List.of();
            if (!own.isEmpty()) {
                return own;
            }
        }
        return methods(null, name);
    }

    /** Methods of a name, static ones first; of the class and those above it, or of all classes. */
    private List<Method> methods(Class<?> owner, String wanted) {
        List<Method> found = new ArrayList<>();
        List<Class<?>> places = new ArrayList<>(owner == null ? classes : List.of());
        for (Class<?> each = owner; each != null; each = each.getSuperclass()) {
            places.add(each);
        }
        for (Class<?> each : places) {
            for (Method method : each.getDeclaredMethods()) {
                if (method.getName().equals(wanted) && !method.isSynthetic() && !Modifier.isAbstract(method.getModifiers())) {
                    found.add(Modifier.isStatic(method.getModifiers()) && owner == null ? 0 : found.size(), method);
                }
            }
        }
        if (owner != null) { // default methods of interfaces, which have no place in the chain above
            Arrays.stream(owner.getMethods()).filter(each -> each.getName().equals(wanted) && each.isDefault()).forEach(found::add);
        }
        return found;
    }

    /** The nearest of several methods of a name, as Java would choose it. */
    private static Fitted fit(List<? extends Executable> candidates, List<?> json, String what)
            throws NoSuchCall, ReflectiveOperationException {
        String why = "there is none";
        Fitted best = null;
        for (Executable each : candidates) {
            try {
                Fitted fitted = new Fitted(each, json);
                best = best == null || fitted.distance < best.distance ? fitted : best;
            } catch (IllegalArgumentException misfit) {
                why = misfit.getMessage();
            }
        }
        for (Executable each : candidates) { // [1, 2] may be all arguments, or the only one
            if (best == null && each.getParameterCount() == 1) {
                try {
                    best = new Fitted(each, Collections.singletonList(json));
                } catch (IllegalArgumentException misfit) {
                    continue; // the first complaint says more
                }
            }
        }
        if (best == null) {
            throw new NoSuchCall("inputs", what + ": " + why);
        }
        return best;
    }

    /** Call with one input; puts what was given and what came of it at the end of the lists. */
    void call(Object input, List<Object> inputs, List<Object> results) throws NoSuchCall, ReflectiveOperationException {
        out.take();
        if (constructed == null) {
            if (!(input instanceof List)) {
                throw new NoSuchCall("inputs", "the input of a method is a list of arguments");
            }
            Fitted fitted = fit(meant(), (List<?>) input, name);
            inputs.add(fitted.told);
            results.add(made(fitted, null, true));
            return;
        }
        Object given = input instanceof Map ? ((Map<?, ?>) input).get("new") : null;
        Object calls = input instanceof Map ? ((Map<?, ?>) input).get("calls") : null;
        if (!(given instanceof List && calls instanceof List)) {
            throw new NoSuchCall("inputs", "the input of a class is {\"new\": [...], \"calls\": [[\"method\", ...], ...]}");
        }
        session((List<?>) given, (List<?>) calls, inputs, results);
    }

    private void session(List<?> given, List<?> calls, List<Object> inputs, List<Object> results)
            throws NoSuchCall, ReflectiveOperationException {
        boolean inner = constructed.isMemberClass() && !Modifier.isStatic(constructed.getModifiers());
        Fitted made = null;
        Map<String, Object> result = null;
        Object[] object = new Object[1];
        if (inner) {
            Object outer = instance(constructed.getEnclosingClass());
            Constructor<?> only = constructed.getDeclaredConstructors()[0];
            only.setAccessible(true);
            object[0] = only.newInstance(outer);
        } else {
            made = fit(Arrays.asList(constructed.getDeclaredConstructors()), given, "new " + name);
            result = made(made, object, false);
        }
        List<Object> told = new ArrayList<>();
        List<Object> said = new ArrayList<>();
        inputs.add(new LinkedHashMap<>(Map.of("new", made == null ? List.of() : made.told, "calls", told)));
        boolean failed = result != null && result.containsKey("raises");
        for (Object each : calls) {
            List<?> call = (List<?>) each;
            String method = (String) call.get(0);
            Fitted fitted = fit(methods(constructed, method), call.subList(1, call.size()), name + "." + method);
            List<Object> words = new ArrayList<>(List.of(method));
            words.addAll(fitted.told);
            told.add(words);
            if (!failed) {
                said.add(made(fitted, object, true));
            }
        }
        results.add(failed ? result : Map.of("calls", said));
    }

    private static Object instance(Class<?> type) throws ReflectiveOperationException {
        Constructor<?> plain = type.getDeclaredConstructor();
        plain.setAccessible(true);
        return plain.newInstance();
    }

    /** Make a call. {@code object[0]} is what it is made on, or where a constructor's result goes. */
    private Map<String, Object> made(Fitted fitted, Object[] object, boolean telling)
            throws ReflectiveOperationException {
        Map<String, Object> result = new LinkedHashMap<>();
        List<Object> before = fitted.written();
        fitted.called.setAccessible(true);
        try {
            if (fitted.called instanceof Method) {
                Method method = (Method) fitted.called;
                boolean alone = Modifier.isStatic(method.getModifiers());
                Object on = alone ? null : object == null ? instance(method.getDeclaringClass()) : object[0];
                Object value = method.invoke(on, fitted.arguments);
                boolean silent = method.getReturnType() == void.class;
                result.put(silent ? "void" : "returns", silent ? Boolean.TRUE : new Writer(false).write(value));
            } else {
                object[0] = ((Constructor<?>) fitted.called).newInstance(fitted.arguments);
            }
        } catch (InvocationTargetException thrown) {
            Throwable cause = thrown.getCause();
            if (cause instanceof OutOfMemoryError) {
                throw (OutOfMemoryError) cause;
            }
            raised(cause instanceof ExceptionInInitializerError && cause.getCause() != null ? cause.getCause() : cause, result);
        }
        List<Object> after = fitted.written();
        if (telling && !after.equals(before)) {
            result.put("args", after);
        }
        String printed = out.take();
        if (!printed.isEmpty()) {
            result.put("stdout", printed);
        }
        return result;
    }

    private static void raised(Throwable thrown, Map<String, Object> result) {
        List<Object> above = new ArrayList<>();
        for (Class<?> each = thrown.getClass().getSuperclass(); each != Object.class; each = each.getSuperclass()) {
            above.add(each.getSimpleName());
        }
        StackTraceElement[] trace = thrown.getStackTrace();
        if (trace.length > 0 && trace[0].getClassName().equals("java.lang.Enum")) {
            above.add("Enum.valueOf"); // a ValueError as well as a KeyError in Python, see exceptions.py
        }
        result.put("raises", thrown.getClass().getSimpleName());
        result.put("bases", above);
    }
}
