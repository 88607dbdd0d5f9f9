package harbour;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Who lies where. */
public class Berths {
    /** The kinds of berths. */
    public enum Kind { BUOY, QUAY, DRY }

    /**
     * The names that begin with a letter, sorted.
     * Example: {@code startingWith(List.of("Vega", "Ada", "Vala"), 'V') -> ["Vala", "Vega"]}
     */
    public List<String> startingWith(List<String> names, char letter) {
        List<String> found = new ArrayList<>();
        for (String name : names) {
            if (!name.isEmpty() && name.charAt(0) == letter) {
                found.add(name);
            }
        }
        found.sort(null);
        return found;
    }

    /**
     * The longest boat, nothing if there is none.
     *
     * <p>{@code longest(Map.of("Ada", 7, "Vega", 11))} returns {@code Optional[Vega]}.
     */
    public Optional<String> longest(Map<String, Integer> lengths) {
        String found = null;
        for (Map.Entry<String, Integer> one : new TreeMap<>(lengths).entrySet()) {
            if (found == null || one.getValue() > lengths.get(found)) {
                found = one.getKey();
            }
        }
        return Optional.ofNullable(found);
    }

    /** Where a boat of this length goes. */
    public Kind kindFor(int length) {
        if (length < 6) {
            return Kind.DRY;
        }
        return length < 10 ? Kind.QUAY : Kind.BUOY;
    }
}
