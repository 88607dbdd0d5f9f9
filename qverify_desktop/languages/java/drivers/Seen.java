package qverify;

import java.lang.reflect.Array;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;

/** Values that were seen: as the application's JSON of values, and as text that reads like source. */
public final class Seen {
    private static final int MOST_DEPTH = 8;
    private static final int MOST_ITEMS = 60;
    private static final int MOST_TEXT = 1500;
    /** What the running probe saw. */
    static volatile String latest;

    private Seen() {}

    /** A value that has no notation, or one that is too large for a test that helps anybody. */
    private static final class Unwritable extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Keeps a probe's value. */
    public static void value(Object value) {
        try {
            latest = Json.write(json(value, MOST_DEPTH));
        } catch (Unwritable | StackOverflowError thrown) {
            latest = "";
        }
    }

    private static Object json(Object value, int depth) {
        if (depth <= 0) {
            throw new Unwritable();
        }
        if (value == null || value instanceof Boolean) {
            return value;
        }
        if (value instanceof String text) {
            return sized(text);
        }
        if (value instanceof Character one) {
            return made("char", String.valueOf(one.charValue()));
        }
        if (value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte || value instanceof BigInteger) {
            return List.of("int", value.toString());
        }
        if (value instanceof Double || value instanceof Float) {
            return List.of("float", decimal(((Number) value).doubleValue(), value.toString()));
        }
        if (value instanceof Enum<?> constant) {
            String home = constant.getDeclaringClass().getCanonicalName();
            return made("enum", String.valueOf(home), constant.name());
        }
        if (value instanceof Optional<?> optional) {
            return optional.isPresent() ? made("some", json(optional.get(), depth - 1)) : made("none");
        }
        List<Object> found = new ArrayList<>();
        if (value.getClass().isArray()) {
            found.add("list");
            int length = Array.getLength(value);
            if (length > MOST_ITEMS) {
                throw new Unwritable();
            }
            for (int index = 0; index < length; index++) {
                found.add(json(Array.get(value, index), depth - 1));
            }
            return found;
        }
        String home = value.getClass().getName();
        if (!home.startsWith("java.util.") && !home.startsWith("kotlin.collections.")) {
            throw new Unwritable();
        }
        if (value instanceof Map<?, ?> map) {
            found.add("map");
            if (map.size() > MOST_ITEMS) {
                throw new Unwritable();
            }
            for (Map.Entry<?, ?> one : map.entrySet()) {
                List<Object> pair = new ArrayList<>();
                pair.add(json(one.getKey(), depth - 1));
                pair.add(json(one.getValue(), depth - 1));
                found.add(pair);
            }
            sortUnordered(found, true);
            return found;
        }
        if (value instanceof List || value instanceof Set) {
            found.add(value instanceof List ? "list" : "set");
            if (((Collection<?>) value).size() > MOST_ITEMS) {
                throw new Unwritable();
            }
            for (Object one : (Collection<?>) value) {
                found.add(json(one, depth - 1));
            }
            sortUnordered(found, value instanceof Set && !(value instanceof SortedSet));
            return found;
        }
        throw new Unwritable();
    }

    private static String decimal(double value, String text) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        return text.toLowerCase(java.util.Locale.ROOT);
    }

    private static List<Object> made(String name, Object... arguments) {
        List<Object> found = new ArrayList<>(List.of("made", name));
        for (Object one : arguments) {
            found.add(one);
        }
        return found;
    }

    private static String sized(String text) {
        if (text.length() > MOST_TEXT) {
            throw new Unwritable();
        }
        return text;
    }

    /** Sets and maps have no order that a test could rely on: two runs agree when theirs is made one. */
    private static void sortUnordered(List<Object> found, boolean unordered) {
        if (unordered) {
            found.subList(1, found.size()).sort(java.util.Comparator.comparing(Json::write));
        }
    }

    /** A value as people write it in source. */
    static String text(Object value) {
        try {
            StringBuilder out = new StringBuilder();
            text(value, out, MOST_DEPTH);
            return out.length() > MOST_TEXT ? out.substring(0, MOST_TEXT) + "…" : out.toString();
        } catch (Throwable thrown) {
            return "";
        }
    }

    private static void text(Object value, StringBuilder out, int depth) {
        if (value == null || depth <= 0 || out.length() > MOST_TEXT) {
            out.append(value == null ? "null" : "…");
        } else if (value instanceof CharSequence text) {
            out.append('"').append(escaped(text.toString())).append('"');
        } else if (value instanceof Character one) {
            out.append('\'').append(escaped(one.toString())).append('\'');
        } else if (value.getClass().isArray()) {
            List<Object> items = new ArrayList<>();
            for (int index = 0; index < Math.min(Array.getLength(value), MOST_ITEMS); index++) {
                items.add(Array.get(value, index));
            }
            items(items, out, depth, "[", "]");
        } else if (value instanceof Optional<?> optional) {
            out.append(optional.isPresent() ? "Optional.of(" : "Optional.empty(");
            if (optional.isPresent()) {
                text(optional.get(), out, depth - 1);
            }
            out.append(')');
        } else if (value instanceof Map<?, ?> map) {
            String before = "{";
            for (Map.Entry<?, ?> one : map.entrySet()) {
                out.append(before);
                text(one.getKey(), out, depth - 1);
                out.append(": ");
                text(one.getValue(), out, depth - 1);
                before = ", ";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof Collection<?> items) {
            items(items, out, depth, value instanceof Set ? "{" : "[", value instanceof Set ? "}" : "]");
        } else {
            // The text of an object with none of its own holds its address.
            out.append(value.toString().replaceAll("@[0-9a-f]{1,16}\\b", ""));
        }
    }

    private static void items(Collection<?> items, StringBuilder out, int depth, String open, String close) {
        out.append(open);
        String before = "";
        for (Object one : items) {
            out.append(before);
            text(one, out, depth - 1);
            before = ", ";
        }
        out.append(close);
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r");
    }
}
