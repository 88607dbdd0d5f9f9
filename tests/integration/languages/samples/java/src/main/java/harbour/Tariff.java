package harbour;

/** Fees of the harbour, in crowns. */
public final class Tariff {
    private Tariff() {}

    /**
     * The fee for a boat of a length that stays some nights. Boats of 12 metres and longer pay half more.
     *
     * <pre>{@code
     * Tariff.fee(10, 2) == 20.0
     * Tariff.fee(12, 1) == 18.0
     * }</pre>
     *
     * @param length in metres
     * @param nights how long it stays
     * @throws IllegalArgumentException if it stays less than a night
     */
    public static double fee(int length, int nights) {
        if (nights < 1) {
            throw new IllegalArgumentException("no night");
        }
        double fee = length * nights;
        return length >= 12 && length < 20 ? fee * 1.5 : fee;
    }

    /**
     * Rounds an amount up to the next multiple of a coin: {@code Tariff.roundUp(17, 5) == 20}, and
     * {@code Tariff.roundUp(20, 5) == 20}.
     */
    public static long roundUp(long amount, int coin) {
        // The planted defect: it rounds down.
        return amount / coin * coin;
    }
}
