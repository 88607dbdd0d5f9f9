package qverify;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** A JVM in which tests run, and the line to it. What comes over the line was perhaps written by a test. */
final class Fork implements AutoCloseable {
    private static final int MOST_LINE = 16 * 1024 * 1024;
    private static final String END = "";
    private final Process process;
    private final OutputStream requests;
    private final BlockingQueue<String> answers = new ArrayBlockingQueue<>(1000);
    private boolean ended;

    /** {@code folder} is the working folder; {@code includes} are JaCoCo's patterns of the classes that are measured, empty for none. */
    Fork(List<String> classPath, String includes, Path folder) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx768m", "-ea",
                "-XX:-OmitStackTraceInFastThrow", "-XX:-UsePerfData", "-Dfile.encoding=UTF-8"));
        if (!includes.isEmpty()) {
            words.add("-javaagent:/opt/jacoco-agent/agent.jar=output=none,includes=" + includes);
        }
        words.addAll(List.of("-cp", String.join(File.pathSeparator, classPath), "qverify.Runner"));
        if (!includes.isEmpty()) {
            words.add("measured");
        }
        ProcessBuilder builder = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD);
        if (Files.isDirectory(folder)) {
            builder.directory(folder.toFile());
        }
        builder.environment().remove("QV_OUT");
        process = builder.start();
        requests = process.getOutputStream();
        Thread reader = new Thread(this::read, "answers");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            StringBuilder line = new StringBuilder();
            for (int one = in.read(); one >= 0; one = in.read()) {
                if (one == '\n') {
                    answers.put(line.isEmpty() ? " " : line.toString());
                    line.setLength(0);
                } else if (line.length() < MOST_LINE) {
                    line.append((char) one);
                }
            }
        } catch (IOException | InterruptedException thrown) {
            // The end of the line is said below.
        } finally {
            try {
                answers.put(END);
            } catch (InterruptedException thrown) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Asks for a run. {@code path} are the folders with the repository's classes. */
    void ask(List<String> path, String kind, List<String> names) {
        String line = Json.write(Map.of("path", path, kind, names)) + "\n";
        try {
            requests.write(line.getBytes(StandardCharsets.UTF_8));
            requests.flush();
        } catch (IOException thrown) {
            ended = true;
        }
    }

    /** The next record within {@code millis}; null where none came, because it is silent or has ended. */
    Map<String, Object> next(long millis) {
        long until = System.nanoTime() + millis * 1_000_000;
        while (!ended) {
            String line;
            try {
                line = answers.poll(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (InterruptedException thrown) {
                return null;
            }
            if (line == null) {
                return null;
            }
            if (line.equals(END)) {
                ended = true;
                return null;
            }
            try {
                return Json.object(Json.read(line));
            } catch (IllegalArgumentException thrown) {
                // A test wrote it.
            }
        }
        return null;
    }

    /** Whether the process has ended, waiting a moment for one that is about to. */
    boolean hasEnded() {
        return ended || !process.isAlive();
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
