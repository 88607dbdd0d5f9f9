package harbour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TariffTest {
    @Test
    void aNightOfASmallBoat() {
        assertEquals(8.0, Tariff.fee(8, 1));
    }

    @Test
    void lessThanANightIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Tariff.fee(8, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 10})
    void nothingIsRoundedToNothing(int coin) {
        assertEquals(0, Tariff.roundUp(0, coin));
    }
}
