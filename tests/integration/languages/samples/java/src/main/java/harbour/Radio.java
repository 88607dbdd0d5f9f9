package harbour;

import org.example.radio.Channel;

/** Calls over the radio, for which the sandbox lacks a package. */
public class Radio {
    /** The channel's number: {@code Radio.number(16) == 16}. */
    public static int number(int channel) {
        return new Channel(channel).number();
    }
}
