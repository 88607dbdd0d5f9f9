plugins {
    kotlin("jvm") version "2.0.0"
}

dependencies {
    testImplementation("org.junit.jupiter:junit-jupiter:5.10.2")
}
