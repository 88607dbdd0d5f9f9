package qverify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Runs, for each mutant, the tests named for it. The changed file alone is compiled anew; its classes stand before the others. */
public final class Mutants {
    private static final long LEAST_MS = 2000;
    private static final long MOST_MS = 20_000;
    private static final long FIRST_MS = 60_000;
    private final Map<String, Object> request;
    private final Report report = new Report("mutants.jsonl");
    /** Tests that pass without a mutant: id to unique id, and to milliseconds. */
    private final Map<String, String> unique = new LinkedHashMap<>();
    private final Map<String, Long> duration = new LinkedHashMap<>();
    private final Set<String> failing = new LinkedHashSet<>();
    private Build build;
    private Session session;

    private Mutants(Map<String, Object> request) {
        this.request = request;
    }

    public static void main(String[] arguments) throws Exception {
        Mutants mutants = new Mutants(Json.object(Json.read(Files.readString(Path.of(".qverify/mutants.json")))));
        try {
            mutants.run();
        } finally {
            mutants.report.finish();
        }
    }

    private void run() throws IOException {
        // What goes wrong while the tests are compiled is known from their own run.
        build = new Build(request, new Report("build.jsonl"));
        try (Session opened = new Session(build, "", Json.number(request.get("deadline_s")))) {
            session = opened;
            firstRun();
            int number = 0;
            for (Object one : Json.list(request.get("mutants"))) {
                if (session.left() <= 0) {
                    return;
                }
                mutate(Json.object(one), Path.of("/tmp/qverify/mutants/" + number++));
            }
        }
    }

    /** Every test that some mutant names, without a mutant: which of them pass, and how long they take. */
    private void firstRun() throws IOException {
        Set<String> named = new LinkedHashSet<>();
        for (Object one : Json.list(request.get("mutants"))) {
            named.addAll(Json.strings(Json.object(one).get("tests")));
        }
        for (Build.Generated test : build.runnable) {
            if (named.contains(test.id())) {
                first("methods", test.className() + "#" + test.name(), named);
            }
        }
        Set<String> files = new LinkedHashSet<>(Json.strings(request.get("own")));
        for (String internal : build.testClasses.bytes.keySet()) {
            String name = internal.replace('/', '.');
            if (!internal.contains("$") && files.contains(build.testClasses.pathOf(name))) {
                first("classes", name, named);
            }
        }
        unique.keySet().removeAll(failing);
    }

    private void first(String kind, String name, Set<String> named) throws IOException {
        Map<String, String> planned = new LinkedHashMap<>();
        session.run(build.path, kind, List.of(name), FIRST_MS, record -> {
            String id = session.idOf(record);
            String said = Json.string(record.get("kind"));
            if (said.equals("plan")) {
                for (Object one : Json.list(record.get("tests"))) {
                    List<String> test = Json.strings(one);
                    if (test.size() == 3) {
                        planned.put(session.idOf(Map.of("class", test.get(1), "method", test.get(2))), test.get(0));
                    }
                }
            } else if (said.equals("end")) {
                String whole = id.replaceAll("\\[.*$", "");
                if (!Json.string(record.get("status")).equals("passed")) {
                    failing.add(whole);
                } else if (named.contains(whole) && planned.containsKey(whole)) {
                    unique.put(whole, planned.get(whole));
                    duration.merge(whole, Json.number(record.get("duration_ms")), Long::sum);
                }
            }
        });
    }

    private void mutate(Map<String, Object> mutant, Path out) throws IOException {
        List<String> tests = Json.strings(mutant.get("tests")).stream().filter(unique::containsKey).toList();
        String changed = changed(mutant);
        if (changed == null || !build.compileChanged(Json.string(mutant.get("file")), changed, out).isEmpty()) {
            say(mutant, "invalid", Set.of());
            return;
        }
        if (tests.isEmpty()) {
            return;
        }
        List<String> path = new ArrayList<>(List.of(out.toString()));
        path.addAll(build.path);
        long slowest = tests.stream().mapToLong(duration::get).max().orElse(0);
        long patience = Math.min(MOST_MS, LEAST_MS + 5 * slowest);
        Set<String> failed = new LinkedHashSet<>();
        List<String> names = tests.stream().map(unique::get).toList();
        Session.Ending ending = session.run(path, "ids", names, patience, record -> {
            boolean bad = Json.string(record.get("kind")).equals("end") && Json.string(record.get("status")).equals("failed");
            if (bad || Json.string(record.get("kind")).equals("container_failed")) {
                String id = session.idOf(record).replaceAll("\\[.*$", "");
                if (unique.containsKey(id)) {
                    failed.add(id);
                }
            }
        });
        boolean hung = false;
        if (!ending.whole() && session.left() > 0) {
            hung = ending.message().startsWith("It did not end");
            if (ending.running() != null) {
                failed.add(session.idOf(ending.running()).replaceAll("\\[.*$", ""));
            }
        }
        if (ending.whole() || session.left() > 0) {
            say(mutant, hung ? "timed_out" : failed.isEmpty() ? "survived" : "killed", failed);
        }
    }

    /** The text of the file with the mutant in place; offsets are bytes of the file on disk. Null where the file is another. */
    private static String changed(Map<String, Object> mutant) {
        try {
            byte[] content = Files.readAllBytes(Path.of(Json.string(mutant.get("file"))));
            int start = (int) Json.number(mutant.get("start"));
            int end = (int) Json.number(mutant.get("end"));
            byte[] original = Json.string(mutant.get("original")).getBytes(StandardCharsets.UTF_8);
            if (start < 0 || end < start || end > content.length || !Arrays.equals(original, Arrays.copyOfRange(content, start, end))) {
                return null;
            }
            String text = new String(content, 0, start, StandardCharsets.UTF_8) + Json.string(mutant.get("replacement"))
                    + new String(content, end, content.length - end, StandardCharsets.UTF_8);
            return text.startsWith("\ufeff") ? text.substring(1) : text;
        } catch (IOException thrown) {
            return null;
        }
    }

    private void say(Map<String, Object> mutant, String status, Set<String> failed) {
        report.add(Map.of("kind", "mutant", "mutant", Json.string(mutant.get("id")), "status", status, "killed_by", List.copyOf(failed)));
    }
}
