package tide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TideTest {
    @ParameterizedTest
    @CsvSource({"0.4, 2.1, 2.1", "2.1, 0.4, 2.1"})
    void highestIsTheLargestLevel(double first, double second, double top) {
        assertEquals(top, Tide.highest(List.of(first, second)));
    }

    @Test
    void highestOfNothingIsRefused() {
        assertThrows(NoSuchElementException.class, () -> Tide.highest(List.of()));
    }

    @Test
    void nextHighWaterCrossesIntoSummerTime() {
        ZonedDateTime next =
                Tide.nextHighWater(ZonedDateTime.parse("2024-03-30T18:00:00Z"), ZoneId.of("Europe/Amsterdam"));
        assertEquals("2024-03-31T08:25+02:00[Europe/Amsterdam]", next.toString());
    }

    @Test
    void nobodySpecialNothingWritableOutsideNoNetwork() throws IOException {
        assertEquals(10001, Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        assertThrows(IOException.class, () -> Files.writeString(Path.of("/opt/planted"), "x"));
        try (Socket socket = new Socket()) {
            assertThrows(IOException.class, () -> socket.connect(new InetSocketAddress("192.0.2.1", 80), 1000));
        }
    }
}
