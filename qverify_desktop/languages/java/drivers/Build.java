package qverify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The repository's classes, its tests' and the generated tests', compiled as far as they can be; what can't is in the report. */
final class Build {
    static final String JUNIT = "/opt/junit/console.jar";
    private static final Path HOME = Path.of("/tmp/qverify");
    private static final Pattern PACKAGE = Pattern.compile("package\\s+([\\w.`]+(?:\\s*\\.\\s*[\\w`]+)*)", Pattern.UNICODE_CHARACTER_CLASS);
    private static final int MOST_BESIDES = 5000;
    private static final Pattern IMPORTED = Pattern.compile("(\\w+)\\s*;?\\s*$");
    private static final long MOST_SOURCE = 4 * 1024 * 1024;

    /** A generated test: its file's lines {@code first} to {@code last} are its own. */
    record Generated(String id, String path, String className, String name, int first, int last) {}

    final Map<String, String> mainSources;
    final Path main = HOME.resolve("main");
    final Path tests = HOME.resolve("tests");
    final Path generated = HOME.resolve("generated");
    /** Where classes are looked for: folders of the repository's classes first. */
    final List<String> path = new ArrayList<>();
    /** Class path of the JVM that runs tests: what no test changes. */
    final List<String> runnerPath;
    /** The folder in which tests run: their module's, as a build tool would have it. */
    final Path folder;

    final Classes classes;
    final Classes testClasses;
    final List<Generated> runnable = new ArrayList<>();
    /** Sources that can't be compiled, with the reason. */
    final Map<String, String> unbuildable = new LinkedHashMap<>();

    private final List<String> libraries;

    Build(Map<String, Object> request, Report report) throws IOException {
        List<String> sourcePaths = new ArrayList<>(Json.strings(request.get("sources")));
        sourcePaths.addAll(besides(Json.strings(request.get("roots")), sourcePaths, Json.string(request.get("other"))));
        List<String> resources = Json.strings(request.get("resources"));
        libraries = libraries(Json.strings(request.get("dependencies")));
        mainSources = texts(sourcePaths);
        Map<String, String> packages = packages(mainSources);
        Compilation.compileWhatCan(mainSources, libraries, main, (problem, sources) -> {
            if (!problem.file().isEmpty()) {
                unbuildable.putIfAbsent(problem.file(), problem.message() + " (line " + problem.line() + ")");
            }
            return sources.remove(problem.file()) != null;
        });
        unbuildable.forEach((file, message) ->
                report.add(Map.of("kind", "session_error", "session", "generated", "message", file + " does not compile: " + message)));
        List<String> mainPath = new ArrayList<>(List.of(main.toString()));
        mainPath.addAll(resources);
        mainPath.addAll(libraries);
        Map<String, String> ownTests = request.get("with_tests") == Boolean.TRUE ? texts(Json.strings(request.get("tests"))) : new LinkedHashMap<>();
        Map<String, String> testPackages = packages(ownTests);
        Compilation.compileWhatCan(ownTests, mainPath, tests, (problem, sources) -> {
            if (sources.remove(problem.file()) == null) {
                return false;
            }
            report.add(Map.of("kind", "collect_error", "file", problem.file(), "message", problem.message() + " (line " + problem.line() + ")"));
            return true;
        });
        List<String> generatedPath = new ArrayList<>(List.of(tests.toString()));
        generatedPath.addAll(mainPath);
        if (request.containsKey("probes")) {
            // Only probes may name what hands over their values.
            generatedPath.add(HOME.resolve("driver").toString());
        }
        Map<String, String> generatedPackages = new LinkedHashMap<>(testPackages);
        compileGenerated(Json.list(request.get("generated")), generatedPath, generatedPackages, report);
        path.addAll(List.of(main.toString(), tests.toString(), generated.toString()));
        runnerPath = new ArrayList<>(List.of(HOME.resolve("driver").toString()));
        // Resources are where tests look for them by the system's class loader too.
        resources.forEach(one -> runnerPath.add(Path.of(one).toAbsolutePath().toString()));
        runnerPath.addAll(libraries);
        folder = Path.of(Json.string(request.get("folder"))).toAbsolutePath();
        classes = new Classes(main, packages);
        Map<String, String> all = new LinkedHashMap<>(packages);
        all.putAll(generatedPackages);
        testClasses = new Classes(tests, all);
        testClasses.include(new Classes(generated, all));
        testClasses.include(classes);
    }

    private void compileGenerated(List<Object> files, List<String> classPath, Map<String, String> packages, Report report) {
        Map<String, String> sources = new LinkedHashMap<>();
        Map<String, List<Generated>> byFile = new LinkedHashMap<>();
        for (Object one : files) {
            Map<String, Object> file = Json.object(one);
            String path = Json.string(file.get("path"));
            Map<String, String> read = texts(List.of(path));
            String packageName = packageOf(read.getOrDefault(path, ""));
            packages.put(path, packageName);
            String stem = path.substring(path.lastIndexOf('/') + 1).replaceAll("\\.\\w+$", "");
            String className = packageName.isEmpty() ? stem : packageName + "." + stem;
            List<Generated> tests = new ArrayList<>();
            for (Object item : Json.list(file.get("tests"))) {
                Map<String, Object> test = Json.object(item);
                tests.add(new Generated(Json.string(test.get("id")), path, className, Json.string(test.get("name")),
                        (int) Json.number(test.get("first")), (int) Json.number(test.get("last"))));
            }
            byFile.put(path, tests);
            sources.putAll(read);
        }
        Map<String, String> unknown = new LinkedHashMap<>();
        Compilation.compileWhatCan(sources, classPath, generated, (problem, left) -> {
            String text = left.get(problem.file());
            if (text == null) {
                return false;
            }
            List<Generated> tests = byFile.get(problem.file());
            for (Generated test : List.copyOf(tests)) {
                if (test.first() <= problem.line() && problem.line() <= test.last()) {
                    tests.remove(test);
                    left.put(problem.file(), without(text, test.first(), test.last()));
                    String cause = unknown.entrySet().stream()
                            .filter(one -> problem.message().matches(".*\\b" + one.getKey() + "\\b.*"))
                            .map(Map.Entry::getValue).findFirst().orElse("");
                    report.add(Map.of("kind", "collect_error", "file", test.id(), "message", (cause + problem.message()).strip()));
                    return true;
                }
            }
            String line = problem.line() > 0 ? text.split("\n", -1)[Math.min(problem.line(), text.split("\n", -1).length) - 1] : "";
            if (line.strip().startsWith("import ")) {
                // Only the tests that need the name fall with it.
                Matcher name = IMPORTED.matcher(line);
                if (line.length() < 500 && name.find()) {
                    unknown.put(name.group(1), problem.message() + " ");
                }
                left.put(problem.file(), without(text, problem.line(), problem.line()));
                return true;
            }
            if (problem.line() > 0 && line.isBlank()) {
                // It stood in lines that are gone already.
                return true;
            }
            left.remove(problem.file());
            report.add(Map.of("kind", "collect_error", "file", problem.file(), "message", problem.message()));
            tests.clear();
            return true;
        });
        byFile.values().forEach(runnable::addAll);
    }

    /** The text with some lines empty, so that all others keep their numbers. */
    private static String without(String text, int first, int last) {
        String[] lines = text.split("\n", -1);
        for (int index = Math.max(1, first); index <= Math.min(last, lines.length); index++) {
            lines[index - 1] = "";
        }
        return String.join("\n", lines);
    }

    /** JaCoCo's patterns of the classes that are measured: of a package without a name each class, otherwise whole packages. */
    String includes() {
        Set<String> found = new LinkedHashSet<>();
        for (String name : classes.bytes.keySet()) {
            int cut = name.lastIndexOf('/');
            found.add(cut < 0 ? name : name.substring(0, cut).replace('/', '.') + ".*");
        }
        String joined = String.join(":", found);
        return joined.length() > 100_000 ? "*" : joined;
    }

    /** Compiles one changed file into a folder of its own, against everything else as it was. */
    List<Compilation.Problem> compileChanged(String file, String text, Path out) {
        List<String> classPath = new ArrayList<>(List.of(main.toString()));
        classPath.addAll(libraries);
        return Compilation.compile(Map.of(file, text), classPath, out);
    }

    /** Paths with the packages that their sources name. */
    private static Map<String, String> packages(Map<String, String> sources) {
        Map<String, String> found = new LinkedHashMap<>();
        sources.forEach((path, text) -> found.put(path, packageOf(text)));
        return found;
    }

    /** The package that a source names in front of everything else; empty for none. */
    static String packageOf(String text) {
        int at = 0;
        while (at < text.length()) {
            if (Character.isWhitespace(text.charAt(at))) {
                at++;
            } else if (text.startsWith("//", at) || text.startsWith("@", at) || text.startsWith("#!", at)) {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (text.startsWith("/*", at)) {
                int end = text.indexOf("*/", at);
                at = end < 0 ? text.length() : end + 2;
            } else {
                Matcher found = PACKAGE.matcher(text).region(at, Math.min(text.length(), at + 1000));
                return found.lookingAt() ? found.group(1).replaceAll("[\\s`]", "") : "";
            }
        }
        return "";
    }

    /** Packages of the repository's own sources and tests. */
    static Set<String> packagesOf(Map<String, Object> request) throws IOException {
        List<String> paths = new ArrayList<>(Json.strings(request.get("sources")));
        paths.addAll(besides(Json.strings(request.get("roots")), paths, Json.string(request.get("other"))));
        paths.addAll(Json.strings(request.get("tests")));
        return new LinkedHashSet<>(packages(texts(paths)).values());
    }

    /** Sources of the other language below the roots: what is compiled may name them. */
    private static List<String> besides(List<String> roots, List<String> known, String ending) throws IOException {
        List<String> found = new ArrayList<>();
        if (ending.isEmpty()) {
            return found;
        }
        for (String root : roots) {
            Path folder = Path.of(root.isEmpty() ? "." : root);
            if (!Files.isDirectory(folder)) {
                continue;
            }
            try (Stream<Path> files = Files.walk(folder, 30)) {
                files.map(one -> one.normalize().toString())
                        .filter(one -> one.endsWith(ending) && !known.contains(one) && !one.startsWith(".qverify"))
                        .filter(one -> !one.matches("(?:.*/)?(?:tests?|androidTest|build|target|out|node_modules)/.*"))
                        .filter(one -> !one.endsWith("module-info.java") && !one.matches(".*Tests?\\.\\w+"))
                        .sorted().limit(MOST_BESIDES).forEach(found::add);
            }
        }
        return found;
    }

    private static Map<String, String> texts(List<String> paths) {
        Map<String, String> found = new LinkedHashMap<>();
        for (String one : paths) {
            try {
                Path file = Path.of(one);
                if (Files.size(file) <= MOST_SOURCE) {
                    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                    found.put(one, text.startsWith("\ufeff") ? text.substring(1) : text);
                }
            } catch (IOException | InvalidPathException thrown) {
                // A file that can't be read has no classes.
            }
        }
        return found;
    }

    /** What the repository may use besides itself: installed packages, those of the image that it names, JUnit, Kotlin's library. */
    static List<String> libraries(List<String> dependencies) throws IOException {
        Map<String, String> jars = new TreeMap<>();
        for (Path root : List.of(Path.of("/deps"))) {
            if (Files.isDirectory(root)) {
                try (Stream<Path> found = Files.walk(root, 20)) {
                    for (Path jar : found.filter(Build::isLibrary).sorted().toList()) {
                        jars.put(jar.getParent().getParent().toString(), jar.toString());
                    }
                }
            }
        }
        for (String one : dependencies) {
            String[] parts = one.split(":");
            Path folder = parts.length < 2 ? null : Path.of("/opt/m2", parts[0].replace('.', '/'), parts[1]);
            if (folder != null && Files.isDirectory(folder)) {
                try (Stream<Path> found = Files.walk(folder, 2, java.nio.file.FileVisitOption.FOLLOW_LINKS)) {
                    found.filter(Build::isLibrary).max(Comparator.naturalOrder()).ifPresent(jar -> jars.put(folder.toString(), jar.toString()));
                }
            }
        }
        List<String> found = new ArrayList<>(jars.values());
        found.add(JUNIT);
        found.add(Kotlin.STANDARD_LIBRARY);
        if (dependencies.stream().anyMatch(one -> one.contains("kotlin-test"))) {
            found.add("/opt/kotlinc/lib/kotlin-test.jar");
            found.add("/opt/kotlinc/lib/kotlin-test-junit5.jar");
        }
        return found;
    }

    private static boolean isLibrary(Path file) {
        String name = file.toString();
        return name.endsWith(".jar") && !name.endsWith("-sources.jar") && !name.endsWith("-javadoc.jar")
                && !name.contains("/org/apache/maven/") && !name.contains("/org/junit/") && !name.contains("/junit/junit/") && !name.contains("/kotlin-stdlib")
                && Files.isRegularFile(file);
    }
}
