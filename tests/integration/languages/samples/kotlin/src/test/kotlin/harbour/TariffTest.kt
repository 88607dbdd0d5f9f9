package harbour

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class TariffTest {
    @Test
    fun `a night of a small boat`() {
        assertEquals(8.0, fee(8, 1))
    }

    @Test
    fun nothingIsRoundedToNothing() {
        assertEquals(0, roundUp(0, 5))
    }
}
