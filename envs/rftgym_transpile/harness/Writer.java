import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.stream.BaseStream;

/** Makes JSON of Java values, typed where JSON's own types do not say enough. */
final class Writer {
    static final int DEEPEST = 50;
    static final int LARGEST = 100_000;

    /** A value that is too deep or too large to be told. */
    static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooLarge(String message) {
            super(message);
        }
    }

    private final boolean input;
    private int room = LARGEST;

    /** @param input as Python is to be given it: a char is a string there, a float a double. */
    Writer(boolean input) {
        this.input = input;
    }

    Object write(Object value) throws ReflectiveOperationException {
        return write(value, 0);
    }

    private Object write(Object value, int depth) throws ReflectiveOperationException {
        if (depth > DEEPEST || --room < 0) {
            throw new TooLarge("a value of more than " + DEEPEST + " levels or " + LARGEST + " parts");
        }
        if (value == null || value instanceof Boolean || value instanceof String) {
            room -= value instanceof String ? ((String) value).length() / 10 : 0;
            return value;
        }
        if (value instanceof Number) {
            return number((Number) value);
        }
        if (value instanceof Character) {
            return input ? value.toString() : Map.of("$char", value.toString());
        }
        if (value instanceof CharSequence) {
            return write(value.toString(), depth);
        }
        if (value.getClass().isArray()) {
            List<Object> items = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) {
                items.add(write(Array.get(value, i), depth + 1));
            }
            return items;
        }
        if (value instanceof Enum) {
            return Map.of("$enum", ((Enum<?>) value).name());
        }
        if (value instanceof Map) {
            List<Object> pairs = new ArrayList<>();
            for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
                pairs.add(pair(write(member.getKey(), depth + 1), write(member.getValue(), depth + 1)));
            }
            return Map.of("$map", pairs);
        }
        if (value instanceof Collection) {
            List<Object> items = all(((Collection<?>) value).iterator(), depth);
            boolean ordered = !input && (value instanceof SortedSet || value instanceof LinkedHashSet);
            return value instanceof Set ? Map.of(ordered ? "$orderedset" : "$set", items) : items;
        }
        return other(value, depth);
    }

    private Object number(Number value) {
        if (value instanceof Double) {
            return real((Double) value);
        }
        if (value instanceof Float) {
            return input ? real((double) (Float) value) : Map.of("$float32", real((Float) value));
        }
        String name = value.getClass().getSimpleName();
        if (name.startsWith("BigDecimal")) {
            return Map.of("$object", List.of(name, value.toString()));
        }
        return name.startsWith("Double") ? real(value.doubleValue()) // an adder or an accumulator
                : name.startsWith("Big") ? value : (Object) value.longValue();
    }

    private static Object real(Number value) {
        double real = value.doubleValue();
        if (Double.isNaN(real) || Double.isInfinite(real)) {
            return Map.of("$float", Double.isNaN(real) ? "nan" : real > 0 ? "inf" : "-inf");
        }
        return value;
    }

    private static List<Object> pair(Object one, Object other) {
        List<Object> pair = new ArrayList<>(); // List.of takes no null
        pair.add(one);
        pair.add(other);
        return pair;
    }

    private List<Object> all(Iterator<?> items, int depth) throws ReflectiveOperationException {
        List<Object> said = new ArrayList<>();
        while (items.hasNext()) {
            said.add(write(items.next(), depth + 1));
        }
        return said;
    }

    private Object other(Object value, int depth) throws ReflectiveOperationException {
        if (value instanceof Optional) {
            return write(((Optional<?>) value).orElse(null), depth + 1);
        }
        if (value instanceof OptionalInt) {
            return ((OptionalInt) value).isPresent() ? ((OptionalInt) value).getAsInt() : null;
        }
        if (value instanceof OptionalLong) {
            return ((OptionalLong) value).isPresent() ? ((OptionalLong) value).getAsLong() : null;
        }
        if (value instanceof OptionalDouble) {
            return ((OptionalDouble) value).isPresent() ? real(((OptionalDouble) value).getAsDouble()) : null;
        }
        if (value instanceof BaseStream || value instanceof Iterator) {
            return all(value instanceof Iterator ? (Iterator<?>) value : ((BaseStream<?, ?>) value).iterator(), depth);
        }
        List<Object> parts = new ArrayList<>();
        if (value instanceof Map.Entry) {
            parts.add(pair("key", write(((Map.Entry<?, ?>) value).getKey(), depth + 1)));
            parts.add(pair("value", write(((Map.Entry<?, ?>) value).getValue(), depth + 1)));
            return Map.of("$record", pair("Entry", parts));
        }
        if (value instanceof Record) {
            for (RecordComponent component : value.getClass().getRecordComponents()) {
                component.getAccessor().setAccessible(true);
                parts.add(pair(component.getName(), write(component.getAccessor().invoke(value), depth + 1)));
            }
            return Map.of("$record", pair(value.getClass().getSimpleName(), parts));
        }
        boolean telling = value.getClass().getMethod("toString").getDeclaringClass() != Object.class;
        return Map.of("$object", pair(value.getClass().getSimpleName(), telling ? write(value.toString(), depth + 1) : null));
    }
}
