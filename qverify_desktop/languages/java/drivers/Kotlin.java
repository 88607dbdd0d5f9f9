package qverify;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The Kotlin compiler, called in this process: its start costs seconds, a further file tenths of one. It is reached by reflection, because
 * most runs need none of it.
 */
final class Kotlin {
    private static final Path HOME = Path.of("/tmp/qverify/kotlin");
    private static ClassLoader loader;

    private Kotlin() {}

    static final String STANDARD_LIBRARY = "/opt/kotlinc/lib/kotlin-stdlib.jar";

    /** Compiles the files of {@code sources} into {@code out}; {@code java} are sources that they may name. */
    static List<Compilation.Problem> compile(Map<String, String> sources, Map<String, String> java, List<String> classPath, Path out)
            throws IOException {
        List<Compilation.Problem> problems = new ArrayList<>();
        Path home = HOME.resolve("sources");
        clear(home);
        List<String> words = new ArrayList<>(List.of(
                "-no-stdlib", "-no-reflect", "-nowarn", "-jvm-target", "21", "-module-name", "main", "-Xskip-prerelease-check",
                "-d", out.toString(), "-classpath", String.join(":", classPath) + ":" + STANDARD_LIBRARY));
        List<String> friends = classPath.stream().filter(one -> one.startsWith("/tmp/qverify/")).toList();
        if (!friends.isEmpty()) {
            // Tests see what is internal, as they do in a build by Gradle or Maven.
            words.add("-Xfriend-paths=" + String.join(",", friends));
        }
        for (Map<String, String> some : List.of(sources, java)) {
            for (Map.Entry<String, String> one : some.entrySet()) {
                Path file = home.resolve(one.getKey());
                Files.createDirectories(file.getParent());
                Files.writeString(file, one.getValue());
                words.add(file.toString());
            }
        }
        try {
            call(words, home, problems);
        } catch (ReflectiveOperationException | RuntimeException | Error thrown) {
            Throwable cause = thrown instanceof InvocationTargetException ? thrown.getCause() : thrown;
            problems.add(new Compilation.Problem("", 0, "The compiler broke: " + cause));
        }
        return problems;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static void call(List<String> words, Path home, List<Compilation.Problem> problems)
            throws ReflectiveOperationException, IOException {
        if (loader == null) {
            List<URL> jars = new ArrayList<>();
            try (Stream<Path> found = Files.list(Path.of("/opt/kotlinc/lib"))) {
                for (Path jar : found.filter(one -> one.toString().endsWith(".jar")).sorted().toList()) {
                    jars.add(jar.toUri().toURL());
                }
            }
            loader = new URLClassLoader(jars.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
        }
        Class<?> collecting = loader.loadClass("org.jetbrains.kotlin.cli.common.messages.MessageCollector");
        Class<?> severities = loader.loadClass("org.jetbrains.kotlin.cli.common.messages.CompilerMessageSeverity");
        Method isError = severities.getMethod("isError");
        Object collector = Proxy.newProxyInstance(loader, new Class<?>[] {collecting}, (proxy, method, given) -> {
            switch (method.getName()) {
                case "report" -> {
                    if ((Boolean) isError.invoke(given[0])) {
                        problems.add(problem(given, home));
                    }
                    return null;
                }
                case "hasErrors" -> {
                    return !problems.isEmpty();
                }
                case "hashCode" -> {
                    return 1;
                }
                case "equals" -> {
                    return proxy == given[0];
                }
                default -> {
                    return null;
                }
            }
        });
        Class<?> compilers = loader.loadClass("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
        Class<?> services = loader.loadClass("org.jetbrains.kotlin.config.Services");
        Object compiler = compilers.getConstructor().newInstance();
        Class<?> arguments = loader.loadClass("org.jetbrains.kotlin.cli.common.arguments.K2JVMCompilerArguments");
        Object parsed = arguments.getConstructor().newInstance();
        Method parse = null;
        for (Method one : compilers.getMethods()) {
            if (one.getName().equals("parseArguments") && one.getParameterCount() == 2) {
                parse = one;
            }
        }
        if (parse == null) {
            throw new NoSuchMethodException("parseArguments");
        }
        parse.invoke(compiler, words.toArray(new String[0]), parsed);
        Method execute = null;
        for (Method one : compilers.getMethods()) {
            Class<?>[] taken = one.getParameterTypes();
            if (one.getName().equals("exec") && taken.length == 3 && taken[0] == collecting && taken[1] == services
                    && taken[2].isInstance(parsed)) {
                execute = one;
            }
        }
        if (execute == null) {
            throw new NoSuchMethodException("exec");
        }
        Object code = execute.invoke(compiler, collector, services.getField("EMPTY").get(null), parsed);
        if (!code.toString().equals("OK") && problems.isEmpty()) {
            problems.add(new Compilation.Problem("", 0, "The compiler failed and did not say why: " + code));
        }
    }

    private static Compilation.Problem problem(Object[] given, Path home) throws ReflectiveOperationException {
        String message = String.valueOf(given[1]).replaceAll("\\s+", " ");
        if (given[2] == null) {
            return new Compilation.Problem("", 0, message);
        }
        String file = (String) given[2].getClass().getMethod("getPath").invoke(given[2]);
        int line = (Integer) given[2].getClass().getMethod("getLine").invoke(given[2]);
        String prefix = home + "/";
        return new Compilation.Problem(
                file.startsWith(prefix) ? file.substring(prefix.length()) : "", Math.max(line, 0),
                message.length() > 400 ? message.substring(0, 400) : message);
    }

    private static void clear(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> found = Files.walk(folder)) {
                for (Path one : found.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(one);
                }
            }
        }
        Files.createDirectories(folder);
    }
}
