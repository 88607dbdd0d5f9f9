package qverify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Opcodes;

/** Classes as they were compiled, read before any code of the repository ran, and the files that they are of. */
final class Classes {
    private static final long MOST_BYTES = 200L * 1024 * 1024;
    /** By internal name ({@code a/b/C$D}). */
    final Map<String, byte[]> bytes = new TreeMap<>();

    private final Map<String, String> paths = new LinkedHashMap<>();
    private final Map<String, String> sourceNames = new LinkedHashMap<>();

    /** {@code packages} are the paths of sources with their packages. */
    Classes(Path folder, Map<String, String> packages) throws IOException {
        packages.forEach((path, name) -> paths.putIfAbsent(name.replace('.', '/') + "/" + path.substring(path.lastIndexOf('/') + 1), path));
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> found = Files.walk(folder)) {
            files = found.filter(one -> one.toString().endsWith(".class")).sorted().toList();
        }
        long size = 0;
        for (Path file : files) {
            byte[] content = Files.readAllBytes(file);
            size += content.length;
            if (size > MOST_BYTES) {
                return;
            }
            try {
                ClassReader reader = new ClassReader(content);
                String name = reader.getClassName();
                reader.accept(new ClassVisitor(Opcodes.ASM9) {
                    @Override
                    public void visitSource(String source, String debug) {
                        sourceNames.put(name, source == null ? "" : source);
                    }
                }, ClassReader.SKIP_CODE | ClassReader.SKIP_FRAMES);
                bytes.put(name, content);
            } catch (RuntimeException thrown) {
                // Newer than this reader knows.
            }
        }
    }

    /** Adds the classes of {@code other}. */
    void include(Classes other) {
        bytes.putAll(other.bytes);
        sourceNames.putAll(other.sourceNames);
        other.paths.forEach(paths::putIfAbsent);
    }

    /** The path of a source file of a package ({@code a/b}), null for one that is not the repository's. */
    String path(String packageName, String fileName) {
        return paths.get(packageName + "/" + fileName);
    }

    /** The path of the source of a class ({@code a.b.C$D}), null for a class of somebody else. */
    String pathOf(String className) {
        String internal = className.replace('.', '/');
        String source = sourceNames.get(internal);
        int cut = internal.lastIndexOf('/');
        return source == null ? null : path(cut < 0 ? "" : internal.substring(0, cut), source);
    }
}
