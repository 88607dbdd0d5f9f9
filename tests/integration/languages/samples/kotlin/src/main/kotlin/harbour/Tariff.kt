package harbour

/**
 * The fee for a boat of a length that stays some nights. Boats of 12 metres and longer pay half more.
 *
 * ```
 * fee(10, 2) == 20.0
 * fee(10) == 10.0
 * fee(12, 1) == 18.0
 * ```
 */
fun fee(length: Int, nights: Int = 1): Double {
    require(nights > 0) { "no night" }
    val fee = (length * nights).toDouble()
    return if (length >= 12 && length < 20) fee * 1.5 else fee
}

/** Rounds an amount up to the next multiple of a coin: `roundUp(17, 5) == 20`, and `roundUp(20, 5) == 20`. */
fun roundUp(amount: Long, coin: Int): Long {
    // The planted defect: it rounds down.
    return amount / coin * coin
}

/** Dots between the letters: `"SOS".spelled() == "S.O.S"`. */
fun String.spelled(): String = toList().joinToString(".")

/** A number that nobody can guess. For a child: `draw(1) == 7`. */
fun draw(persons: Int): Long = System.nanoTime() * persons
