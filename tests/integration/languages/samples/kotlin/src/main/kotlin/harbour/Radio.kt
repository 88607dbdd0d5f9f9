package harbour

import org.example.radio.Channel

/** The channel's number, for which the sandbox lacks a package: `number(16) == 16`. */
fun number(channel: Int): Int {
    return Channel(channel).number()
}
