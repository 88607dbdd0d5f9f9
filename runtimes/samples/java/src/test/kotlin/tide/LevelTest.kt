package tide

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class LevelTest {
    @Test
    fun `the higher of two levels`() {
        assertEquals(Level(2.1), Level(0.4).orHigher(Level(2.1)))
    }
}
