import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.tools.ExecFileLoader;
import org.jacoco.report.DirectorySourceFileLocator;
import org.jacoco.report.IReportVisitor;
import org.jacoco.report.MultiSourceFileLocator;
import org.jacoco.report.xml.XMLFormatter;

/**
 * Writes JaCoCo's XML report (https://www.jacoco.org/jacoco/trunk/coverage/report.dtd) of recorded runs.
 *
 * <p>usage: jacoco-report XML_FILE --exec FILE... --classes FOLDER... [--sources FOLDER...]
 *
 * <p>Stands in for JaCoCo's own command line, which Debian does not package.
 */
public final class JacocoReport {
    private JacocoReport() {}

    public static void main(String[] arguments) throws IOException {
        ExecFileLoader recorded = new ExecFileLoader();
        List<File> classes = new ArrayList<>();
        MultiSourceFileLocator sources = new MultiSourceFileLocator(4);
        String kind = "";
        for (String word : List.of(arguments).subList(1, arguments.length)) {
            if (word.startsWith("--")) {
                kind = word;
                continue;
            }
            File file = new File(word);
            switch (kind) {
                case "--exec" -> recorded.load(file);
                case "--classes" -> classes.add(file);
                case "--sources" -> sources.add(new DirectorySourceFileLocator(file, "UTF-8", 4));
                default -> throw new IllegalArgumentException("unexpected word " + word);
            }
        }
        CoverageBuilder coverage = new CoverageBuilder();
        Analyzer analyzer = new Analyzer(recorded.getExecutionDataStore(), coverage);
        for (File one : classes) {
            analyzer.analyzeAll(one);
        }
        try (FileOutputStream out = new FileOutputStream(arguments[0])) {
            IReportVisitor visitor = new XMLFormatter().createVisitor(out);
            visitor.visitInfo(recorded.getSessionInfoStore().getInfos(), recorded.getExecutionDataStore().getContents());
            visitor.visitBundle(coverage.getBundle("tests"), sources);
            visitor.visitEnd();
        }
    }
}
