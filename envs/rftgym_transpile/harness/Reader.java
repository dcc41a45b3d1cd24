import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.Stack;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.Vector;

/** Makes Java values of JSON, as a declared type asks for it. */
final class Reader {
    private Reader() {}

    static IllegalArgumentException misfit(Object json, Type type) {
        StringBuilder text = new StringBuilder();
        Json.print(json, text);
        String said = text.length() > 60 ? text.substring(0, 60) + "..." : text.toString();
        return new IllegalArgumentException(said + " is no " + type.getTypeName());
    }

    /** How far a type is from what JSON holds: of overloaded methods the nearest is meant. */
    static int distance(Object json, Class<?> raw) {
        List<Class<?>> nearest = json instanceof BigInteger
                ? List.of(int.class, long.class, Integer.class, Long.class, BigInteger.class, short.class, byte.class, double.class, Double.class)
                : json instanceof Number ? List.of(double.class, Double.class, float.class)
                : json instanceof Boolean ? List.of(boolean.class, Boolean.class)
                : json instanceof String ? List.of(String.class, char.class, Character.class) : List.of();
        int place = nearest.indexOf(raw);
        return place >= 0 ? place : raw == Object.class ? 20 : 10;
    }

    static Object read(Object json, Type type) {
        Class<?> raw = raw(type);
        if (json == null) {
            if (raw.isPrimitive()) {
                throw misfit(null, type);
            }
            return optional(null, type, raw);
        }
        if (raw == boolean.class || raw == Boolean.class) {
            return cast(json, Boolean.class, type);
        }
        if (raw == char.class || raw == Character.class) {
            return character(json, type);
        }
        if (raw.isPrimitive() || Number.class.isAssignableFrom(raw) && raw != Number.class) {
            return number(json, type, raw);
        }
        if (raw == String.class) {
            return cast(json, String.class, type);
        }
        if (raw == StringBuilder.class) {
            return new StringBuilder(cast(json, String.class, type));
        }
        if (raw.isEnum()) {
            return constant(json, raw);
        }
        if (raw.isArray()) {
            return array(json, type, raw);
        }
        if (raw == Optional.class || raw == OptionalInt.class || raw == OptionalLong.class || raw == OptionalDouble.class) {
            return optional(json, type, raw);
        }
        if (Map.class.isAssignableFrom(raw)) {
            return map(json, type, raw);
        }
        if (Iterable.class.isAssignableFrom(raw)) {
            return collection(json, type, raw);
        }
        Object value = natural(json); // Object, a type variable, Number, Comparable, CharSequence
        if (!raw.isInstance(value)) {
            throw misfit(json, type);
        }
        return value;
    }

    static Class<?> raw(Type type) {
        if (type instanceof Class) {
            return (Class<?>) type;
        }
        if (type instanceof ParameterizedType) {
            return (Class<?>) ((ParameterizedType) type).getRawType();
        }
        if (type instanceof GenericArrayType) {
            return Array.newInstance(raw(((GenericArrayType) type).getGenericComponentType()), 0).getClass();
        }
        if (type instanceof WildcardType) {
            return raw(((WildcardType) type).getUpperBounds()[0]);
        }
        return raw(((TypeVariable<?>) type).getBounds()[0]);
    }

    private static Type argument(Type type, int index) {
        return type instanceof ParameterizedType ? ((ParameterizedType) type).getActualTypeArguments()[index] : Object.class;
    }

    private static <T> T cast(Object json, Class<T> wanted, Type type) {
        if (!wanted.isInstance(json)) {
            throw misfit(json, type);
        }
        return wanted.cast(json);
    }

    /** The content of {"$tag": content}; null where it is anything else. */
    private static Object tagged(Object json, String tag) {
        boolean alone = json instanceof Map && ((Map<?, ?>) json).size() == 1;
        return alone ? ((Map<?, ?>) json).get(tag) : null;
    }

    private static Object character(Object json, Type type) {
        Object inner = tagged(json, "$char");
        String text = cast(inner == null ? json : inner, String.class, type);
        if (text.length() != 1) {
            throw misfit(json, type);
        }
        return text.charAt(0);
    }

    private static Object number(Object json, Type type, Class<?> raw) {
        if (raw == double.class || raw == Double.class) {
            return real(json, type);
        }
        if (raw == float.class || raw == Float.class) {
            return (float) real(json, type);
        }
        if (raw == BigDecimal.class) {
            return json instanceof String ? new BigDecimal((String) json) : BigDecimal.valueOf(real(json, type));
        }
        BigInteger value = cast(json, BigInteger.class, type);
        int bits = raw == byte.class || raw == Byte.class ? 7 : raw == short.class || raw == Short.class ? 15
                : raw == int.class || raw == Integer.class ? 31 : raw == BigInteger.class ? Integer.MAX_VALUE : 63;
        if (value.bitLength() > bits) {
            throw misfit(json, type);
        }
        switch (bits) {
            case 7: return value.byteValue();
            case 15: return value.shortValue();
            case 31: return value.intValue();
            case 63: return value.longValue();
            default: return value;
        }
    }

    private static double real(Object json, Type type) {
        Object narrow = tagged(json, "$float32");
        Object special = tagged(narrow == null ? json : narrow, "$float");
        if (special != null) {
            return special.equals("nan") ? Double.NaN
                    : special.equals("-inf") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        return cast(narrow == null ? json : narrow, Number.class, type).doubleValue();
    }

    private static Object constant(Object json, Class<?> raw) {
        Object inner = tagged(json, "$enum");
        for (Object constant : raw.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(inner == null ? json : inner)) {
                return constant;
            }
        }
        throw misfit(json, raw);
    }

    private static Object array(Object json, Type type, Class<?> raw) {
        Type inner = type instanceof GenericArrayType
                ? ((GenericArrayType) type).getGenericComponentType() : raw.getComponentType();
        List<?> items = items(json, type);
        Object array = Array.newInstance(raw.getComponentType(), items.size());
        for (int i = 0; i < items.size(); i++) {
            Array.set(array, i, read(items.get(i), inner));
        }
        return array;
    }

    private static List<?> items(Object json, Type type) {
        for (String tag : List.of("$set", "$varargs")) {
            Object inner = tagged(json, tag);
            json = inner == null ? json : inner;
        }
        if (json instanceof String && type == char[].class) {
            return ((String) json).isEmpty() ? List.of() : List.of(((String) json).split("(?!^)"));
        }
        return cast(json, List.class, type);
    }

    private static Object optional(Object json, Type type, Class<?> raw) {
        if (raw == OptionalInt.class) {
            return json == null ? OptionalInt.empty() : OptionalInt.of((Integer) read(json, int.class));
        }
        if (raw == OptionalLong.class) {
            return json == null ? OptionalLong.empty() : OptionalLong.of((Long) read(json, long.class));
        }
        if (raw == OptionalDouble.class) {
            return json == null ? OptionalDouble.empty() : OptionalDouble.of((Double) read(json, double.class));
        }
        boolean wrapped = raw == Optional.class;
        return wrapped ? Optional.ofNullable(json == null ? null : read(json, argument(type, 0))) : null;
    }

    /** Keeps the order that was written, where the type has none of its own: a LinkedHashMap is a HashMap. */
    private static Object map(Object json, Type type, Class<?> raw) {
        Map<Object, Object> map = raw.isAssignableFrom(LinkedHashMap.class) ? new LinkedHashMap<>() : new TreeMap<>();
        if (!raw.isInstance(map)) {
            throw misfit(json, type);
        }
        Object pairs = tagged(json, "$map");
        if (pairs instanceof List) {
            for (Object pair : (List<?>) pairs) {
                List<?> both = cast(pair, List.class, type);
                map.put(read(both.get(0), argument(type, 0)), read(both.get(1), argument(type, 1)));
            }
            return map;
        }
        Class<?> keys = raw(argument(type, 0));
        boolean words = keys.isAssignableFrom(String.class) || keys == Character.class || keys.isEnum();
        for (Map.Entry<?, ?> member : ((Map<?, ?>) cast(json, Map.class, type)).entrySet()) {
            Object name = words ? member.getKey() : Json.parse((String) member.getKey());
            map.put(read(name, argument(type, 0)), read(member.getValue(), argument(type, 1)));
        }
        return map;
    }

    private static Object collection(Object json, Type type, Class<?> raw) {
        Collection<Object> made = null;
        for (Collection<Object> each : List.<Collection<Object>>of(new ArrayList<>(), new LinkedHashSet<>(),
                new TreeSet<>(), new ArrayDeque<>(), new LinkedList<>(), new PriorityQueue<>(), new Vector<>(), new Stack<>())) {
            made = made == null && raw.isInstance(each) ? each : made;
        }
        if (made == null) {
            throw misfit(json, type);
        }
        for (Object item : items(json, type)) {
            made.add(read(item, argument(type, 0)));
        }
        return made;
    }

    private static Object natural(Object json) {
        if (json instanceof BigInteger) {
            int bits = ((BigInteger) json).bitLength();
            return bits < 32 ? (Object) ((BigInteger) json).intValue() : bits < 64 ? ((BigInteger) json).longValue() : json;
        }
        if (json instanceof List || tagged(json, "$set") != null) {
            return collection(json, tagged(json, "$set") == null ? List.class : Set.class, json instanceof List ? List.class : Set.class);
        }
        if (tagged(json, "$char") != null) {
            return character(json, char.class);
        }
        if (tagged(json, "$float") != null || tagged(json, "$float32") != null) {
            return real(json, double.class);
        }
        return json instanceof Map ? map(json, Map.class, Map.class) : json;
    }
}
