package tide

/** A level above the datum, in metres. */
data class Level(val metres: Double) {
    /** The higher of two levels, found by the Java half of this sample. */
    fun orHigher(other: Level): Level = Level(Tide.highest(listOf(metres, other.metres)))
}
