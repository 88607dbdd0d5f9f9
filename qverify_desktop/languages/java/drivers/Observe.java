package qverify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Calls targets with inputs that were made for them, each target's in a class of its own, and writes down what happened. */
public final class Observe {
    private Observe() {}

    public static void main(String[] arguments) throws IOException {
        Map<String, Object> request = Json.object(Json.read(Files.readString(Path.of(".qverify/observe.json"))));
        Report report = new Report("observations.jsonl");
        Build build = new Build(request, new Report("build.jsonl"));
        Coverage coverage = new Coverage(build.classes);
        long patience = Json.number(request.get("test_s")) * 1000;
        Map<String, Map<String, Object>> probes = new LinkedHashMap<>();
        for (Object one : Json.list(request.get("probes"))) {
            Map<String, Object> probe = Json.object(one);
            probes.put(Json.string(probe.get("id")), probe);
        }
        Map<String, List<Build.Generated>> byFile = new LinkedHashMap<>();
        build.runnable.forEach(one -> byFile.computeIfAbsent(one.path(), path -> new ArrayList<>()).add(one));
        List<List<Build.Generated>> files = new ArrayList<>(byFile.values());
        long seed = Json.number(request.get("seed"));
        if (seed == 1) {
            Collections.reverse(files);
        } else if (seed != 0) {
            // Another order shows what depends on it.
            Collections.shuffle(files, new Random(seed));
        }
        try (Session session = new Session(build, build.includes(), Json.number(request.get("deadline_s")))) {
            for (List<Build.Generated> file : files) {
                List<String> names = new ArrayList<>();
                file.forEach(one -> names.add(one.className() + "#" + one.name()));
                if (session.left() <= 0) {
                    break;
                }
                session.run(build.path, "methods", names, patience, record -> {
                    if (Json.string(record.get("kind")).equals("end")) {
                        Map<String, Object> probe = probes.get(session.idOf(record));
                        if (probe != null) {
                            report.add(observation(probe, record, coverage));
                        }
                    }
                });
            }
        }
        report.finish();
    }

    private static Map<String, Object> observation(Map<String, Object> probe, Map<String, Object> record, Coverage coverage) {
        Map<String, Object> found = new LinkedHashMap<>(probe);
        found.put("kind", "observation");
        found.put("raised", Json.string(record.get("raised")));
        found.put("value", record.get("observed") instanceof String text ? text : null);
        Map<String, Object> reached = coverage.footprint("", Coverage.read(Json.string(record.get("coverage"))));
        found.put("lines", reached.get("lines"));
        found.put("branches", reached.get("branches"));
        return found;
    }
}
