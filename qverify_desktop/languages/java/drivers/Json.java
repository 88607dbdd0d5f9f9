package qverify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON (RFC 8259) of maps, lists, strings, whole numbers and truths. */
final class Json {
    private static final int MOST_DEPTH = 60;
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** The value of a document. Throws IllegalArgumentException for anything else. */
    static Object read(String text) {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.space();
        if (reader.at != text.length()) {
            throw new IllegalArgumentException("text after the document");
        }
        return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        if (value instanceof Map) {
            return (Map<String, Object>) value;
        }
        throw new IllegalArgumentException("not an object");
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        if (value instanceof List) {
            return (List<Object>) value;
        }
        return List.of();
    }

    static List<String> strings(Object value) {
        List<String> found = new ArrayList<>();
        for (Object one : list(value)) {
            found.add(String.valueOf(one));
        }
        return found;
    }

    static String string(Object value) {
        return value instanceof String ? (String) value : "";
    }

    static long number(Object value) {
        return value instanceof Long ? (Long) value : 0;
    }

    private Object value(int depth) {
        if (depth > MOST_DEPTH) {
            throw new IllegalArgumentException("nested too deeply");
        }
        space();
        char first = at < text.length() ? text.charAt(at) : 0;
        if (first == '{') {
            Map<String, Object> found = new LinkedHashMap<>();
            at++;
            for (space(); peek() != '}'; space()) {
                space();
                String key = string();
                space();
                expect(':');
                found.put(key, value(depth + 1));
                space();
                if (peek() != '}') {
                    expect(',');
                }
            }
            at++;
            return found;
        }
        if (first == '[') {
            List<Object> found = new ArrayList<>();
            at++;
            for (space(); peek() != ']'; space()) {
                found.add(value(depth + 1));
                space();
                if (peek() != ']') {
                    expect(',');
                }
            }
            at++;
            return found;
        }
        if (first == '"') {
            return string();
        }
        int start = at;
        while (at < text.length() && "+-.eEaflnrstu0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String word = text.substring(start, at);
        return switch (word) {
            case "true" -> Boolean.TRUE;
            case "false" -> Boolean.FALSE;
            case "null" -> null;
            default -> Long.valueOf(word);
        };
    }

    private String string() {
        expect('"');
        StringBuilder found = new StringBuilder();
        while (true) {
            char one = next();
            if (one == '"') {
                return found.toString();
            }
            if (one != '\\') {
                found.append(one);
                continue;
            }
            char escaped = next();
            switch (escaped) {
                case 'n' -> found.append('\n');
                case 't' -> found.append('\t');
                case 'r' -> found.append('\r');
                case 'b' -> found.append('\b');
                case 'f' -> found.append('\f');
                case 'u' -> {
                    if (at + 4 > text.length()) {
                        throw new IllegalArgumentException("cut off");
                    }
                    found.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> found.append(escaped);
            }
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw new IllegalArgumentException("cut off");
        }
        return text.charAt(at);
    }

    private char next() {
        char one = peek();
        at++;
        return one;
    }

    private void expect(char wanted) {
        if (next() != wanted) {
            throw new IllegalArgumentException("expected " + wanted);
        }
    }

    private void space() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    /** The document of a value, on one line, in ASCII. */
    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> map) {
            String before = "{";
            for (Map.Entry<?, ?> one : map.entrySet()) {
                out.append(before);
                quote(String.valueOf(one.getKey()), out);
                out.append(':');
                write(one.getValue(), out);
                before = ",";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof Iterable<?> items) {
            out.append('[');
            String before = "";
            for (Object one : items) {
                out.append(before);
                write(one, out);
                before = ",";
            }
            out.append(']');
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else {
            quote(value.toString(), out);
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int index = 0; index < text.length(); index++) {
            char one = text.charAt(index);
            if (one == '"' || one == '\\') {
                out.append('\\').append(one);
            } else if (one < 0x20 || one > 0x7e) {
                // A half of a surrogate pair that stands alone is no text in JSON's sense.
                boolean whole = !Character.isSurrogate(one)
                        || (Character.isHighSurrogate(one) && index + 1 < text.length() && Character.isLowSurrogate(text.charAt(index + 1)))
                        || (Character.isLowSurrogate(one) && index > 0 && Character.isHighSurrogate(text.charAt(index - 1)));
                out.append(String.format("\\u%04x", whole ? (int) one : 0xfffd));
            } else {
                out.append(one);
            }
        }
        out.append('"');
    }
}
