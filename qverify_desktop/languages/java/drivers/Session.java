package qverify;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Runs tests in a fork, and another fork where one has ended. A test that hangs or ends its JVM takes no other with it. */
final class Session implements AutoCloseable {
    private static final long START_MS = 60_000;
    private final Build build;
    private final String includes;
    private Fork fork;
    /** The clock ({@code System.nanoTime}) at which everything must have ended. */
    private final long until;

    Session(Build build, String includes, long seconds) {
        this.build = build;
        this.includes = includes;
        // The limit is that of the whole run, and compiling has taken its part of it.
        long spent = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
        until = System.nanoTime() + seconds * 1_000_000_000L - spent * 1_000_000L;
    }

    long left() {
        return Math.max(0, (until - System.nanoTime()) / 1_000_000);
    }

    /** How a request ended. {@code running} is the record of the test that was running when it did, null for none. */
    record Ending(boolean whole, Map<String, Object> running, String message) {}

    /**
     * Asks for one run and hands on its records. {@code path} are the folders of classes, {@code patience} milliseconds for one test.
     */
    Ending run(List<String> path, String kind, List<String> names, long patience, Consumer<Map<String, Object>> taker) throws IOException {
        if (fork == null || fork.hasEnded()) {
            close();
            fork = new Fork(build.runnerPath, includes, build.folder);
            Map<String, Object> first = fork.next(Math.min(START_MS, left()));
            if (first == null) {
                return new Ending(false, null, "The JVM for tests did not start.");
            }
        }
        fork.ask(path, kind, names);
        Map<String, Object> running = null;
        while (true) {
            Map<String, Object> record = fork.next(Math.min(patience, left()));
            if (record == null) {
                boolean ended = fork.hasEnded();
                close();
                String why = ended ? "It ended the process of the tests." : left() <= 0 ? "The time of the run was up." : "It did not end within " + patience / 1000 + " seconds.";
                return new Ending(false, running, why);
            }
            String said = Json.string(record.get("kind"));
            if (said.equals("done")) {
                return new Ending(true, null, "");
            }
            if (said.equals("begin")) {
                running = record;
            } else if (said.equals("end")) {
                running = null;
            }
            taker.accept(record);
        }
    }

    /** The id of the test that a record speaks of; empty where it is none of the repository's. */
    String idOf(Map<String, Object> record) {
        String className = Json.string(record.get("class"));
        String path = build.testClasses.pathOf(className);
        if (path == null) {
            return "";
        }
        String simple = className.substring(className.lastIndexOf('.') + 1);
        String stem = path.substring(path.lastIndexOf('/') + 1).replaceAll("\\.\\w+$", "");
        String owner = simple.equals(stem) ? "" : simple.startsWith(stem + "$") ? simple.substring(stem.length() + 1) : simple;
        String method = Json.string(record.get("method"));
        String name = owner.isEmpty() ? method : owner.replace('$', '.') + "." + method;
        return path + "::" + name + Json.string(record.get("suffix"));
    }

    /** The record of a test's end as the report takes it. */
    Map<String, Object> outcome(String id, Map<String, Object> record) {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("kind", "test");
        found.put("test", id);
        String status = Json.string(record.get("status"));
        found.put("status", Set.of("passed", "failed", "skipped").contains(status) ? status : "error");
        found.put("duration_ms", Math.max(0, Json.number(record.get("duration_ms"))));
        found.put("message", Json.string(record.get("message")));
        found.put("raised", Json.string(record.get("raised")));
        found.put("observed", Json.string(record.get("observed")));
        List<Object> frames = new ArrayList<>();
        String last = "";
        for (Object one : Json.list(record.get("frames"))) {
            List<Object> frame = Json.list(one);
            if (frame.size() == 2) {
                String path = build.testClasses.pathOf(Json.string(frame.get(0)));
                if (path != null) {
                    frames.add(path + ":" + frame.get(1));
                }
                String name = Json.string(frame.get(0));
                if (path != null || !name.matches("(?:org\\.junit|org\\.opentest4j|org\\.hamcrest|junit|java|jdk|kotlin|org\\.assertj)\\..*")) {
                    last = path == null ? "" : path;
                }
            }
        }
        found.put("frames", frames.size() > 90 ? frames.subList(frames.size() - 90, frames.size()) : frames);
        String own = id.substring(0, Math.max(0, id.indexOf("::")));
        found.put("in_test", record.get("assertion") == Boolean.TRUE && last.equals(own));
        return found;
    }

    @Override
    public void close() {
        if (fork != null) {
            fork.close();
            fork = null;
        }
    }

    /** Ids without the number of an invocation. */
    static Set<String> plain(List<String> ids) {
        Set<String> found = new HashSet<>();
        ids.forEach(one -> found.add(one.replaceAll("\\[.*$", "")));
        return found;
    }
}
