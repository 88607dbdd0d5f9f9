package qverify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** Looks for the packages that sources import: in the JDK, in the libraries, among the sources themselves. */
public final class Imports {
    private Imports() {}

    public static void main(String[] arguments) throws IOException {
        Map<String, Object> request = Json.object(Json.read(Files.readString(Path.of(".qverify/imports.json"))));
        Set<String> known = new HashSet<>();
        for (Module module : ModuleLayer.boot().modules()) {
            known.addAll(module.getPackages());
        }
        for (String library : Build.libraries(Json.strings(request.get("dependencies")))) {
            try (JarFile jar = new JarFile(library)) {
                jar.stream().map(JarEntry::getName).filter(name -> name.endsWith(".class") && name.contains("/"))
                        .forEach(name -> known.add(name.substring(0, name.lastIndexOf('/')).replace('/', '.')));
            } catch (IOException thrown) {
                // No archive: nothing is in it.
            }
        }
        known.addAll(Build.packagesOf(request));
        List<String> missing = new ArrayList<>();
        for (String name : Json.strings(request.get("packages"))) {
            if (!known.contains(name)) {
                missing.add(name);
            }
        }
        Files.writeString(Path.of(System.getenv("QV_OUT"), "missing.json"), Json.write(Map.of("packages", missing)));
    }
}
