package harbour;

/** Tickets of the ferry. */
public class Ticket {
    /** A number that nobody can guess. For a child: {@code draw(1) == 7}. */
    public static long draw(int persons) {
        return System.nanoTime() * persons;
    }
}
