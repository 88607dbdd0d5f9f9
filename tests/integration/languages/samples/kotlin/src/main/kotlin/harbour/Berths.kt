package harbour

/** The kinds of berths. */
enum class Kind { BUOY, QUAY, DRY }

/** Who lies where. */
class Berths {
    /**
     * The names that begin with a letter, sorted.
     * Example: `startingWith(listOf("Vega", "Ada", "Vala"), 'V') -> ["Vala", "Vega"]`
     */
    fun startingWith(names: List<String>, letter: Char): List<String> {
        val found = mutableListOf<String>()
        for (name in names) {
            if (name.isNotEmpty() && name[0] == letter) {
                found.add(name)
            }
        }
        return found.sorted()
    }

    /** The longest boat: `longest(mapOf("Ada" to 7, "Vega" to 11)) == "Vega"`; null if there is none. */
    fun longest(lengths: Map<String, Int>): String? {
        return lengths.entries.maxByOrNull { it.value }?.key
    }

    companion object {
        /** Where a boat of this length goes. */
        fun kindFor(length: Int): Kind {
            if (length < 6) {
                return Kind.DRY
            }
            return if (length < 10) Kind.QUAY else Kind.BUOY
        }
    }
}
