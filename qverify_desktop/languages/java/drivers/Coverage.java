package qverify;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.analysis.ILine;
import org.jacoco.core.analysis.ISourceFileCoverage;
import org.jacoco.core.data.ExecutionData;
import org.jacoco.core.data.ExecutionDataReader;
import org.jacoco.core.data.ExecutionDataStore;

/**
 * What JaCoCo recorded, as lines and branches of the repository's sources. JaCoCo counts the branches of a line and does not number them:
 * branch {@code (line, n)} is covered where at least {@code n + 1} of the line's branches are.
 */
final class Coverage {
    /** Of one file: all lines and branches that there are, and those that ran. */
    static final class Lines {
        final List<Integer> lines = new ArrayList<>();
        final List<Integer> covered = new ArrayList<>();
        final List<List<Integer>> branches = new ArrayList<>();
        final List<List<Integer>> coveredBranches = new ArrayList<>();
    }

    private final Classes classes;

    Coverage(Classes classes) {
        this.classes = classes;
    }

    /** The store of a report in JaCoCo's format, Base64; empty where it is none. */
    static ExecutionDataStore read(String encoded) {
        ExecutionDataStore store = new ExecutionDataStore();
        try {
            ExecutionDataReader reader = new ExecutionDataReader(new ByteArrayInputStream(Base64.getDecoder().decode(encoded)));
            reader.setExecutionDataVisitor(store);
            reader.setSessionInfoVisitor(info -> {});
            reader.read();
        } catch (IOException | RuntimeException thrown) {
            return new ExecutionDataStore();
        }
        return store;
    }

    /** Adds what {@code more} recorded. */
    static void merge(ExecutionDataStore store, ExecutionDataStore more) {
        for (ExecutionData one : more.getContents()) {
            try {
                store.put(one);
            } catch (IllegalStateException thrown) {
                // Recorded of another class of that name.
            }
        }
    }

    /** By path, of the classes that ran, or with {@code everything} of all. */
    Map<String, Lines> of(ExecutionDataStore store, boolean everything) {
        CoverageBuilder builder = new CoverageBuilder();
        Analyzer analyzer = new Analyzer(store, builder);
        for (Map.Entry<String, byte[]> one : classes.bytes.entrySet()) {
            if (everything || store.contains(one.getKey())) {
                try {
                    analyzer.analyzeClass(one.getValue(), one.getKey());
                } catch (IOException | RuntimeException thrown) {
                    // A class that can't be read has no lines.
                }
            }
        }
        Map<String, Lines> found = new TreeMap<>();
        for (ISourceFileCoverage file : builder.getSourceFiles()) {
            String path = classes.path(file.getPackageName(), file.getName());
            if (path != null) {
                add(file, found.computeIfAbsent(path, name -> new Lines()));
            }
        }
        return found;
    }

    private static void add(ISourceFileCoverage file, Lines found) {
        for (int number = Math.max(1, file.getFirstLine()); number <= file.getLastLine(); number++) {
            ILine line = file.getLine(number);
            ICounter instructions = line.getInstructionCounter();
            if (instructions.getTotalCount() == 0) {
                continue;
            }
            found.lines.add(number);
            if (instructions.getCoveredCount() > 0) {
                found.covered.add(number);
            }
            ICounter branches = line.getBranchCounter();
            for (int branch = 0; branch < branches.getTotalCount(); branch++) {
                found.branches.add(List.of(number, branch));
                if (branch < branches.getCoveredCount()) {
                    found.coveredBranches.add(List.of(number, branch));
                }
            }
        }
    }

    /** The record of what one test reached; null where it reached nothing. */
    Map<String, Object> footprint(String test, ExecutionDataStore store) {
        Map<String, Object> lines = new LinkedHashMap<>();
        Map<String, Object> branches = new LinkedHashMap<>();
        of(store, false).forEach((path, found) -> {
            if (!found.covered.isEmpty()) {
                lines.put(path, found.covered);
                branches.put(path, found.coveredBranches);
            }
        });
        return Map.of("kind", "footprint", "test", test, "lines", lines, "branches", branches);
    }
}
