package qverify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The records of a run. They are written as they come, so that a run that is ended leaves what it knew, and once more at the end, when
 * nothing of the repository runs any more that could have changed them.
 */
final class Report {
    private final Path file;
    private final List<String> lines = new ArrayList<>();

    Report(String name) {
        file = Path.of(System.getenv("QV_OUT"), name);
    }

    synchronized void add(Map<String, Object> record) {
        Map<String, Object> fitting = new LinkedHashMap<>(record);
        if (fitting.get("message") instanceof String message && message.length() > 3500) {
            fitting.put("message", message.substring(0, 3500));
        }
        String line = Json.write(fitting) + "\n";
        lines.add(line);
        try {
            Files.writeString(file, line, StandardCharsets.US_ASCII, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException thrown) {
            // The second writing may succeed.
        }
    }

    synchronized void finish() throws IOException {
        Files.deleteIfExists(file);
        Files.writeString(file, String.join("", lines), StandardCharsets.US_ASCII);
    }
}
