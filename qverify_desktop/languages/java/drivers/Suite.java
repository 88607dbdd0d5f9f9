package qverify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jacoco.core.data.ExecutionDataStore;

/** Compiles, runs the repository's own tests and the generated ones, and reports each with what it reached. */
public final class Suite {
    private final Map<String, Object> request;
    private final Report report = new Report("suite.jsonl");
    private final ExecutionDataStore total = new ExecutionDataStore();
    private final Set<String> only;
    private final boolean measured;
    private final long patience;
    private Build build;
    private Coverage coverage;
    private Session session;

    private Suite(Map<String, Object> request) {
        this.request = request;
        only = Session.plain(Json.strings(request.get("only")));
        measured = request.get("coverage") == Boolean.TRUE;
        patience = Json.number(request.get("test_s")) * 1000;
    }

    public static void main(String[] arguments) throws Exception {
        Suite suite = new Suite(Json.object(Json.read(Files.readString(Path.of(".qverify/suite.json")))));
        try {
            suite.run();
        } catch (Throwable thrown) {
            suite.report.add(Map.of("kind", "broken", "message", String.valueOf(thrown)));
        } finally {
            suite.report.finish();
        }
    }

    private void run() throws IOException {
        List<String> expected = Json.strings(request.get("expected"));
        report.add(Map.of("kind", "expected", "tests", expected));
        build = new Build(request, report);
        coverage = new Coverage(build.classes);
        try (Session opened = new Session(build, measured ? build.includes() : "", Json.number(request.get("deadline_s")))) {
            session = opened;
            for (String name : ownClasses()) {
                runClass(name);
            }
            List<Build.Generated> generated = new ArrayList<>(build.runnable);
            long seed = Json.number(request.get("seed"));
            if (seed == 1) {
                Collections.reverse(generated);
            } else if (seed != 0) {
                Collections.shuffle(generated, new Random(seed));
            }
            for (Build.Generated test : generated) {
                if (only.isEmpty() || only.contains(test.id())) {
                    runGenerated(test);
                }
            }
        }
        if (measured) {
            boolean everything = request.get("everything") == Boolean.TRUE;
            coverage.of(total, everything).forEach((path, found) -> report.add(Map.of(
                    "kind", "coverage", "file", path, "lines", found.lines, "covered", found.covered, "branches", found.branches,
                    "covered_branches", found.coveredBranches)));
        }
    }

    /** Names of the classes in the test files that are to run. */
    private Set<String> ownClasses() {
        Set<String> wanted = new LinkedHashSet<>(Json.strings(request.get("own")));
        Set<String> found = new TreeSet<>();
        for (String internal : build.testClasses.bytes.keySet()) {
            String name = internal.replace('/', '.');
            if (!internal.contains("$") && wanted.contains(build.testClasses.pathOf(name))) {
                found.add(name);
            }
        }
        return found;
    }

    /** One test class in one request, and after a test that ended the process a further request for those that are left. */
    private void runClass(String name) throws IOException {
        Map<String, String> planned = new LinkedHashMap<>();
        Set<String> ended = new LinkedHashSet<>();
        String kind = "classes";
        List<String> names = List.of(name);
        while (!names.isEmpty() && session.left() > 0) {
            Session.Ending ending = session.run(build.path, kind, names, patience, record -> {
                String id = session.idOf(record);
                switch (Json.string(record.get("kind"))) {
                    case "plan" -> plan(record, planned);
                    case "end" -> {
                        ended.add(template(record));
                        end(id, record);
                    }
                    case "skip" -> {
                        ended.add(template(record));
                        if (!id.isEmpty() && record.get("method") != null) {
                            report.add(Map.of("kind", "test", "test", id, "status", "skipped", "duration_ms", 0L,
                                    "message", Json.string(record.get("message"))));
                        }
                    }
                    case "between" -> Coverage.merge(total, Coverage.read(Json.string(record.get("coverage"))));
                    case "container_failed" -> {
                        String path = build.testClasses.pathOf(Json.string(record.get("class")));
                        if (path != null) {
                            report.add(Map.of("kind", "collect_error", "file", record.get("method") == null ? path : id,
                                    "message", Json.string(record.get("raised")) + ": " + Json.string(record.get("message"))));
                        }
                    }
                    default -> { }
                }
            });
            if (ending.whole()) {
                return;
            }
            if (ending.running() == null) {
                String path = build.testClasses.pathOf(name);
                report.add(Map.of("kind", "collect_error", "file", path == null ? name : path, "message", ending.message()));
                return;
            }
            ended.add(template(ending.running()));
            report.add(Map.of("kind", "killed", "test", session.idOf(ending.running()), "message", ending.message()));
            kind = "ids";
            names = planned.keySet().stream().filter(one -> !ended.contains(one)).toList();
        }
    }

    /** The unique id of the method that a record's invocation belongs to. */
    private static String template(Map<String, Object> record) {
        return Json.string(record.get("unique")).replaceAll("/\\[[\\w-]*invocation:#\\d+\\]$", "");
    }

    private void plan(Map<String, Object> record, Map<String, String> planned) {
        List<String> fresh = new ArrayList<>();
        for (Object one : Json.list(record.get("tests"))) {
            List<String> test = Json.strings(one);
            if (test.size() == 3) {
                String id = session.idOf(Map.of("class", test.get(1), "method", test.get(2)));
                if (!id.isEmpty() && planned.put(test.get(0), id) == null && wanted(id)) {
                    fresh.add(id);
                }
            }
        }
        report.add(Map.of("kind", "expected", "tests", fresh));
    }

    private boolean wanted(String id) {
        return only.isEmpty() || only.contains(id.replaceAll("\\[.*$", ""));
    }

    private void runGenerated(Build.Generated test) throws IOException {
        if (session.left() <= 0) {
            return;
        }
        boolean[] reported = {false};
        Session.Ending ending = session.run(build.path, "methods", List.of(test.className() + "#" + test.name()), patience, record -> {
            if (Json.string(record.get("kind")).equals("end")) {
                reported[0] = true;
                end(test.id() + Json.string(record.get("suffix")), record);
            } else if (Json.string(record.get("kind")).equals("container_failed") && !reported[0]) {
                report.add(Map.of("kind", "collect_error", "file", test.id(),
                        "message", Json.string(record.get("raised")) + ": " + Json.string(record.get("message"))));
            }
        });
        if (!ending.whole() && !reported[0] && session.left() > 0) {
            report.add(Map.of("kind", "killed", "test", test.id(), "message", ending.message()));
        }
    }

    private void end(String id, Map<String, Object> record) {
        ExecutionDataStore store = Coverage.read(Json.string(record.get("coverage")));
        Coverage.merge(total, store);
        if (id.isEmpty() || !wanted(id)) {
            return;
        }
        report.add(session.outcome(id, record));
        if (measured) {
            report.add(coverage.footprint(id, store));
        }
    }
}
