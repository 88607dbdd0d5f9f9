package qverify;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectUniqueId;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jacoco.agent.rt.IAgent;
import org.jacoco.agent.rt.RT;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.ValueWrapper;

/**
 * Runs in a JVM of its own, beside code of the repository. It reads one request a line from its standard input, runs what that names, and
 * writes what happens to its standard output; its master believes what it says of the tests that it asked for, and of no others.
 */
public final class Runner implements TestExecutionListener {
    private final PrintStream out;
    private final IAgent agent;
    private final Map<String, Long> started = new LinkedHashMap<>();

    private Runner(PrintStream out, IAgent agent) {
        this.out = out;
        this.agent = agent;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.UTF_8));
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        System.setIn(new java.io.ByteArrayInputStream(new byte[0]));
        Runner runner = new Runner(out, arguments.length > 0 ? RT.getAgent() : null);
        LauncherConfig config = LauncherConfig.builder()
                .enableTestEngineAutoRegistration(true)
                .enableTestExecutionListenerAutoRegistration(false)
                .build();
        Launcher launcher = LauncherFactory.create(config);
        runner.say("ready", Map.of());
        List<String> current = List.of();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            List<DiscoverySelector> selectors = new ArrayList<>();
            Map<String, Object> request = Json.object(Json.read(line));
            Json.strings(request.get("classes")).forEach(name -> selectors.add(selectClass(name)));
            Json.strings(request.get("methods")).forEach(name -> selectors.add(selectMethod(name)));
            Json.strings(request.get("ids")).forEach(name -> selectors.add(selectUniqueId(name)));
            List<String> path = Json.strings(request.get("path"));
            if (!path.equals(current)) {
                // Classes of a changed file meet those of the others in a loader of their own: no state survives a mutant.
                current = path;
                URL[] roots = new URL[path.size()];
                for (int index = 0; index < roots.length; index++) {
                    roots[index] = new File(path.get(index)).toURI().toURL();
                }
                Thread.currentThread().setContextClassLoader(new URLClassLoader(roots, Runner.class.getClassLoader()));
            }
            try {
                launcher.execute(LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectors)
                        .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                        .build(), runner);
            } catch (Throwable thrown) {
                runner.say("broken", Map.of("message", cut(String.valueOf(thrown), 2000)));
            }
            runner.say("done", Map.of());
        }
    }

    private synchronized void say(String kind, Map<String, Object> more) {
        Map<String, Object> record = new LinkedHashMap<>(Map.of("kind", kind));
        record.putAll(more);
        out.println(Json.write(record));
    }

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        List<Object> tests = new ArrayList<>();
        for (TestIdentifier root : plan.getRoots()) {
            for (TestIdentifier one : plan.getDescendants(root)) {
                if (one.getSource().orElse(null) instanceof MethodSource method) {
                    tests.add(List.of(one.getUniqueId(), method.getClassName(), method.getMethodName()));
                }
            }
        }
        say("plan", Map.of("tests", tests));
        if (agent != null) {
            agent.reset();
        }
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        if (test.isTest()) {
            Seen.latest = null;
            coverageBetween();
            say("begin", named(test));
            started.put(test.getUniqueId(), System.nanoTime());
        }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        if (test.getSource().isPresent()) {
            Map<String, Object> record = named(test);
            record.put("message", cut(String.valueOf(reason), 500));
            say("skip", record);
        }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Optional<Throwable> thrown = result.getThrowable();
        Map<String, Object> record = named(test);
        if (!test.isTest()) {
            if (thrown.isPresent()) {
                record.putAll(described(thrown.get()));
                say("container_failed", record);
            }
            return;
        }
        long begun = started.getOrDefault(test.getUniqueId(), System.nanoTime());
        record.put("duration_ms", (System.nanoTime() - begun) / 1_000_000);
        record.put("status", switch (result.getStatus()) {
            case SUCCESSFUL -> "passed";
            case ABORTED -> "skipped";
            case FAILED -> "failed";
        });
        if (Seen.latest != null) {
            record.put("observed", Seen.latest);
        }
        thrown.ifPresent(one -> record.putAll(described(one)));
        if (agent != null) {
            record.put("coverage", Base64.getEncoder().encodeToString(agent.getExecutionData(true)));
        }
        say("end", record);
    }

    /** What ran outside of any test (a class that is prepared) counts for the whole run only. */
    private void coverageBetween() {
        if (agent != null) {
            byte[] data = agent.getExecutionData(true);
            if (data.length > 100) {
                say("between", Map.of("coverage", Base64.getEncoder().encodeToString(data)));
            }
        }
    }

    private static Map<String, Object> named(TestIdentifier test) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("unique", test.getUniqueId());
        TestSource source = test.getSource().orElse(null);
        if (source instanceof MethodSource method) {
            record.put("class", method.getClassName());
            record.put("method", method.getMethodName());
            int invocation = test.getUniqueId().lastIndexOf("-invocation:#");
            String number = invocation < 0 ? "" : test.getUniqueId().substring(invocation + 13).replaceAll("[^0-9].*", "");
            record.put("suffix", number.isEmpty() ? "" : "[" + number + "]");
        } else if (source instanceof ClassSource one) {
            record.put("class", one.getClassName());
        }
        return record;
    }

    private static Map<String, Object> described(Throwable failure) {
        // An assertion that expected another error names what is not on the class path only as its cause.
        Throwable thrown =
                failure instanceof AssertionFailedError && failure.getCause() instanceof LinkageError missing ? missing : failure;
        Map<String, Object> record = new LinkedHashMap<>();
        String name = thrown.getClass().getSimpleName();
        record.put("raised", cut(name.isEmpty() ? thrown.getClass().getName() : name, 190));
        String message;
        try {
            message = String.valueOf(thrown.getMessage());
        } catch (Throwable other) {
            message = "";
        }
        record.put("message", cut(message, 1500));
        if (thrown instanceof AssertionFailedError failed && failed.isActualDefined()) {
            ValueWrapper actual = failed.getActual();
            String text = Seen.text(actual.getEphemeralValue());
            record.put("observed", cut(text.isEmpty() ? actual.getStringRepresentation() : text, 1600));
        }
        List<Object> frames = new ArrayList<>();
        StackTraceElement[] trace = thrown.getStackTrace();
        for (StackTraceElement frame : Arrays.copyOf(trace, Math.min(trace.length, 400))) {
            frames.add(List.of(frame.getClassName(), Math.max(frame.getLineNumber(), 0)));
        }
        Collections.reverse(frames);
        record.put("frames", frames);
        record.put("assertion", thrown instanceof AssertionError);
        return record;
    }

    private static String cut(String text, int most) {
        return text.length() > most ? text.substring(0, most) + "…" : text;
    }
}
