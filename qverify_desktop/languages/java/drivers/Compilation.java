package qverify;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Compiles sources in this process; what can't be compiled is left out, and the rest is compiled without it. */
final class Compilation {
    private static final int MOST_ROUNDS = 12;
    private static final JavaCompiler JAVAC = ToolProvider.getSystemJavaCompiler();
    private static final String EMPTY = "/tmp/qverify/empty";

    /** An error of a compiler: 1-based line, 0 where it stands for the whole file. */
    record Problem(String file, int line, String message) {}

    /** A source that is not read from disk again, so that nothing changes it between two looks. */
    private static final class Unit extends SimpleJavaFileObject {
        private final String path;
        private final String text;

        Unit(String path, String text) throws URISyntaxException {
            super(new URI("string", null, "/" + path, null), Kind.SOURCE);
            this.path = path;
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    private Compilation() {}

    /**
     * Compiles Kotlin first, which reads Java's sources, then Java. {@code besides} are sources that Kotlin may name, compiled already or
     * compiled here.
     */
    static List<Problem> compile(Map<String, String> sources, List<String> classPath, Path out) {
        Map<String, String> java = new LinkedHashMap<>();
        Map<String, String> kotlin = new LinkedHashMap<>();
        sources.forEach((path, text) -> (path.endsWith(".kt") ? kotlin : java).put(path, text));
        try {
            Files.createDirectories(out);
            Files.createDirectories(Path.of(EMPTY));
            List<Problem> problems = kotlin.isEmpty() ? new ArrayList<>() : Kotlin.compile(kotlin, java, classPath, out);
            if (!java.isEmpty() && problems.isEmpty()) {
                List<String> paths = new ArrayList<>(classPath);
                paths.add(out.toString());
                problems.addAll(javac(java, paths, out));
            }
            return problems;
        } catch (IOException | URISyntaxException thrown) {
            return new ArrayList<>(List.of(new Problem("", 0, String.valueOf(thrown))));
        }
    }

    private static List<Problem> javac(Map<String, String> sources, List<String> classPath, Path out)
            throws IOException, URISyntaxException {
        List<Unit> units = new ArrayList<>();
        for (Map.Entry<String, String> one : sources.entrySet()) {
            units.add(new Unit(one.getKey(), one.getValue()));
        }
        List<String> options = List.of(
                "-g", "-parameters", "-nowarn", "-proc:none", "-implicit:none", "-Xmaxerrs", "5000", "-Xlint:none",
                "-sourcepath", EMPTY, "-d", out.toString(), "-cp", String.join(File.pathSeparator, classPath));
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        List<Problem> problems = new ArrayList<>();
        try (StandardJavaFileManager files = JAVAC.getStandardFileManager(null, Locale.ROOT, null)) {
            boolean whole;
            try {
                whole = JAVAC.getTask(null, files, said, options, null, units).call();
            } catch (RuntimeException | StackOverflowError thrown) {
                // The compiler itself gave up, and does not say on which file.
                return new ArrayList<>(List.of(new Problem("", 0, "The compiler broke: " + thrown.getClass().getName())));
            }
            for (Diagnostic<? extends JavaFileObject> one : said.getDiagnostics()) {
                if (one.getKind() == Diagnostic.Kind.ERROR) {
                    String file = one.getSource() instanceof Unit unit ? unit.path : "";
                    int line = (int) Math.max(0, one.getLineNumber());
                    String message = one.getMessage(Locale.ROOT).replaceAll("\\s+", " ");
                    problems.add(new Problem(file, line, message.length() > 400 ? message.substring(0, 400) : message));
                }
            }
            if (!whole && problems.isEmpty()) {
                problems.add(new Problem("", 0, "The compiler failed and did not say why."));
            }
        }
        return problems;
    }

    /** What becomes of an error: it takes something out of {@code sources}, and says whether it did. */
    interface Remedy {
        boolean apply(Problem problem, Map<String, String> sources);
    }

    /** Compiles, takes out what has errors, and tries again. Empties {@code sources} where it can't be brought to an end. */
    static void compileWhatCan(Map<String, String> sources, List<String> classPath, Path out, Remedy remedy) {
        for (int round = 0; round < MOST_ROUNDS && !sources.isEmpty(); round++) {
            List<Problem> problems = compile(sources, classPath, out);
            if (problems.isEmpty()) {
                return;
            }
            boolean changed = false;
            for (Problem problem : problems) {
                changed |= remedy.apply(problem, sources);
            }
            if (!changed) {
                break;
            }
        }
        for (String path : List.copyOf(sources.keySet())) {
            remedy.apply(new Problem(path, 0, "It could not be compiled together with the files beside it."), sources);
            sources.remove(path);
        }
    }
}
