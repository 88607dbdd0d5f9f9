package tide;

import java.time.Duration;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Collections;
import java.util.List;

/** A few lines of real code, so that an image is proved by running some. */
public final class Tide {
    private Tide() {}

    /** Highest level. Throws NoSuchElementException when there is none. */
    public static double highest(List<Double> levels) {
        return Collections.max(levels);
    }

    /** The high water that follows {@code last}, 12 hours 25 minutes later, in the zone's local time. */
    public static ZonedDateTime nextHighWater(ZonedDateTime last, ZoneId zone) {
        return last.plus(Duration.ofHours(12).plusMinutes(25)).withZoneSameInstant(zone);
    }
}
