import Emulator
import Planning
import ReportFormats
import Silicon

/// The study for a terminal, a spreadsheet and a browser.
extension GlitchStudy {
    public var text: String {
        var lines = ["\(topology): one fault (\(model)) at each instruction of the boot of \(device), with an implant in place of 1BL", ""]
        lines.append(row("boot code", "instructions", "trials") { $0.title })
        for build in builds {
            let map = build.map
            lines.append(row(map.build, "\(map.instructions)", "\(map.trials.count)") { "\(map.count($0))" })
        }
        for build in builds {
            lines += ["", "\(build.map.build): without a fault \(build.map.baseline.title)"]
            if build.map.compromised.isEmpty { lines.append("  no fault makes unsigned code run") }
            for (place, trials) in places(build.map) {
                let evidence = Set(trials.map(\.evidence)).sorted().joined(separator: "; or ")
                let all = build.map.trials.count { $0.place == place }
                lines.append("  \(place.padded(22)) \(trials.count) of \(all) faults run unsigned code; measured: \(evidence)")
            }
            for consequence in build.consequences {
                lines.append(
                    "  measured \(consequence.evidence): \(consequence.positions) fault\(consequence.positions == 1 ? "" : "s"), followed: \(consequence.example.text)"
                )
                lines.append("      \(consequence.verdict)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func row(_ name: String, _ instructions: String, _ trials: String, _ value: (GlitchMap.Outcome) -> String) -> String {
        let cells = GlitchMap.Outcome.allCases.map { value($0).left($0.title.count + 3) }
        return name.padded(12) + instructions.left(13) + trials.left(9) + cells.joined()
    }

    /// Places where unsigned code ran, in the order of their addresses.
    private func places(_ map: GlitchMap) -> [(place: String, trials: [GlitchMap.Trial])] {
        Dictionary(grouping: map.compromised, by: \.address).sorted { $0.key < $1.key }.map { ($0.value[0].place, $0.value) }
    }

    public var csv: String {
        var lines = ["boot_code,glitch,address,place,outcome,measured"]
        for build in builds {
            for trial in build.map.trials {
                let address = "0x" + String(trial.address, radix: 16)
                let fields = [build.map.build, trial.glitch.text, address, trial.place, trial.outcome.title, "\"\(trial.evidence)\""]
                lines.append(fields.joined(separator: ","))
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// A map of the code: a cell for each instruction, coloured by the worst that a fault there did.
    public var html: String {
        let columns = builds.map { build in
            """
            <section><h2>\(escaped(build.map.build))</h2><p>\(build.map.trials.count) faults; unsigned code ran after \
            <b>\(build.map.compromised.count)</b>. Without a fault: \(build.map.baseline.title).</p>\(code(build.map))\(fleet(build))</section>
            """
        }
        let legend = GlitchMap.Outcome.allCases.map { "<span><i class=\"\($0.style)\"></i>\($0.title)</span>" }.joined()
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(topology)) · glitch map</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>
            body{font:15px/1.5 system-ui,sans-serif;color:#1c2530;background:#f4f6f8;margin:24px}h1,h2{margin:0}p{color:#5b6b7c;margin:4px 0 12px}
            main{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:24px;margin-top:16px}
            section{background:#fff;border-radius:8px;padding:16px}h3{font-size:13px;margin:10px 0 3px;font-family:ui-monospace,monospace}
            .code{display:flex;flex-wrap:wrap;gap:2px}.code i,.legend i{width:11px;height:11px;border-radius:2px;display:inline-block}
            .legend{display:flex;flex-wrap:wrap;gap:14px}.legend i{margin-right:5px;vertical-align:-1px}
            .normal{background:#7fb3d9}.fallback{background:#c9d3dc}.refused{background:#5f9e6e}.hang{background:#e0b252}.crash{background:#b9834f}
            .unsigned{background:#c8323c}ul{padding-left:18px;margin:12px 0 0}li{margin:4px 0}
            </style></head><body><h1>\(escaped(device)) on the bench</h1>
            <p>One fault (\(escaped(model))) at each instruction of its boot, with an implant in place of the first boot loader. A cell is \
            an instruction, in the order of addresses; its colour is the worst that a fault there did. Point at it for details.</p>
            <div class="legend">\(legend)</div><main>\(columns.joined())</main></body></html>

            """
    }

    private func code(_ map: GlitchMap) -> String {
        let byAddress = Dictionary(grouping: map.trials, by: \.address)
        let addresses = byAddress.keys.sorted()
        return map.functions.compactMap { function -> String? in
            let own = addresses.filter { $0 >= function.address && $0 < function.address + function.bytes }
            guard !own.isEmpty else { return nil }
            let cells = own.map { address -> String in
                let trials = byAddress[address] ?? []
                let counts = GlitchMap.Outcome.allCases.compactMap { outcome -> String? in
                    let count = trials.count { $0.outcome == outcome }
                    return count > 0 ? "\(outcome.title) \(count)×" : nil
                }
                let worst = trials.map(\.outcome).max { $0.rank < $1.rank } ?? .normal
                let note = "0x\(String(address, radix: 16)) \(trials.first?.place ?? ""): \(counts.joined(separator: ", "))"
                return "<i class=\"\(worst.style)\" title=\"\(escaped(note))\"></i>"
            }
            return "<h3>\(escaped(function.name))</h3><div class=\"code\">\(cells.joined())</div>"
        }.joined()
    }

    private func fleet(_ build: Build) -> String {
        if build.consequences.isEmpty { return "" }
        let items = build.consequences.map {
            "<li>\($0.positions) fault\($0.positions == 1 ? "" : "s") after which <b>\(escaped($0.evidence))</b> was measured: \(escaped($0.verdict)) (followed: <code>\(escaped($0.example.text))</code>)</li>"
        }
        return "<ul>\(items.joined())</ul>"
    }
}

extension GlitchMap.Outcome {
    var title: String { self == .normal ? "normal boot" : rawValue }
    fileprivate var style: String { self == .unsignedCode ? "unsigned" : rawValue }
    /// The higher, the worse.
    fileprivate var rank: Int { GlitchMap.Outcome.allCases.firstIndex(of: self) ?? 0 }
}
