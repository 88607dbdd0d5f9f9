import java.io.File;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Compiles the programs beside this file in this process, and starts the one that is named: one JVM instead of two. */
public final class Begin {
    private Begin() {}

    public static void main(String[] arguments) throws Throwable {
        Path home = Path.of("/tmp/qverify/driver");
        Files.createDirectories(home);
        List<File> sources = new ArrayList<>();
        try (Stream<Path> found = Files.list(Path.of(".qverify"))) {
            found.filter(one -> one.toString().endsWith(".java") && !one.endsWith("Begin.java"))
                    .sorted()
                    .forEach(one -> sources.add(one.toFile()));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            List<String> options =
                    List.of("-proc:none", "-nowarn", "-d", home.toString(), "-cp", System.getProperty("java.class.path"));
            if (!compiler.getTask(said, files, null, options, null, files.getJavaFileObjectsFromFiles(sources)).call()) {
                throw new IllegalStateException("The driver does not compile: " + said);
            }
        }
        URLClassLoader loader = new URLClassLoader(new URL[] {home.toUri().toURL()}, Begin.class.getClassLoader());
        try {
            loader.loadClass("qverify." + arguments[0]).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
        System.exit(0);
    }
}
