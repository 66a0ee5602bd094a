import Formats
import Testing

/// Who may have which pins beside whom (azure-sphere HW-11, HW-12).
@Suite struct PeripheralClaimsTests {
    private func manifest(_ capabilities: String, isRealTime: Bool = false) throws -> AppManifest {
        try AppManifest(
            json: Array(
                """
                {"SchemaVersion":1,"Name":"a","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3627","EntryPoint":"/bin/app","CmdArgs":[],
                 "Capabilities":{\(capabilities)},"ApplicationType":"\(isRealTime ? "RealTimeCapable" : "Default")"}
                """.utf8))
    }

    private func conflict(_ one: String, _ other: String, areRealTime: (Bool, Bool) = (false, true)) throws -> String? {
        AppManifest.conflict(
            ("one", try manifest(one, isRealTime: areRealTime.0)), ("other", try manifest(other, isRealTime: areRealTime.1)))
    }

    @Test(arguments: [
        (#""Gpio":[12]"#, #""Gpio":[15]"#, "GPIO block 3 (pins 12-15)"), (#""Gpio":[12]"#, #""Gpio":[12]"#, "pin 12 of GPIO block 3"),
        (#""Gpio":[26]"#, #""Gpio":[30]"#, "ISU0 (pins 26-30)"), (#""Gpio":[66]"#, #""I2cMaster":["ISU3"]"#, "ISU3 (pins 66-70)"),
        (#""Pwm":["PWM-CONTROLLER-2"]"#, #""Gpio":[8]"#, "GPIO block 2 (pins 8-11)"),
        (#""Adc":["ADC-CONTROLLER-0"]"#, #""Gpio":[48]"#, "ADC-CONTROLLER-0 (pins 41-48)"),
        (#""Uart":["ISU1"]"#, #""SpiMaster":["ISU1"]"#, "ISU1"), (#""I2sSubordinate":["I2S0"]"#, #""Gpio":[60]"#, "I2S0"),
    ]) func coresDoNotShareABlock(_ test: (one: String, other: String, names: String)) throws {
        for cores in [(false, true), (true, false), (true, true)] {
            let words = try #require(try conflict(test.one, test.other, areRealTime: cores))
            #expect(words.contains(test.names) && words.hasPrefix("apps one and other both want"), "\(words)")
        }
    }

    @Test(arguments: [
        (#""Gpio":[15]"#, #""Gpio":[16]"#), (#""Gpio":[30]"#, #""Gpio":[31]"#), (#""Uart":["ISU0"]"#, #""Uart":["ISU1"]"#),
    ])
    func neighboursInOtherBlocksGoTogether(_ test: (one: String, other: String)) throws {
        #expect(try conflict(test.one, test.other) == nil)
    }

    /// A block goes to a core, and both run on the A7; a pin or a unit is one app's all the same.
    @Test func highLevelAppsShareBlocksButNotPins() throws {
        #expect(try conflict(#""Gpio":[12]"#, #""Gpio":[15]"#, areRealTime: (false, false)) == nil)
        #expect(try conflict(#""Gpio":[12]"#, #""Gpio":[12]"#, areRealTime: (false, false)) != nil)
        #expect(try conflict(#""Uart":["ISU0"]"#, #""Gpio":[27]"#, areRealTime: (false, false)) != nil)
    }

    @Test(arguments: [
        (#""Gpio":[24]"#, "no pin 24"), (#""Gpio":[81]"#, "no pin 81"), (#""Gpio":[-1]"#, "no pin -1"), (#""Uart":["ISU5"]"#, "no ISU5"),
        (#""SpiMaster":[0]"#, "no 0"), (#""Pwm":["PWM-CONTROLLER-3"]"#, "no PWM-CONTROLLER-3"), (#""Adc":["ISU0"]"#, "no ISU0"),
        (#""Uart":["ISU0"],"I2cMaster":["ISU0"]"#, "ISU0 is wanted as I2cMaster and as Uart"),
        (#""Gpio":[4,26],"Uart":["ISU0"]"#, "pin 26 is wanted as Gpio, and ISU0 (pins 26-30) as Uart"),
        (#""Pwm":["PWM-CONTROLLER-2"],"Gpio":[11]"#, "pin 11 is wanted as Gpio, and GPIO block 2 (pins 8-11) as Pwm"),
        (#""Gpio":[41],"Adc":["ADC-CONTROLLER-0"]"#, "pin 41 is wanted as Gpio"),
    ]) func whatTheChipLacksIsRefused(_ test: (capabilities: String, reason: String)) {
        do {
            _ = try manifest(test.capabilities)
            Issue.record("taken: \(test.capabilities)")
        } catch { #expect("\(error)".contains(test.reason), "\(error)") }
    }
}
