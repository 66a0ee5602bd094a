/// `apps: { blinky: { program: blinky.elf, manifest: app_manifest.json }, meter: { image: meter.imagepackage } }`: paths are
/// relative to the file's folder.
extension PlanReader {
    mutating func readApps(_ section: Section) {
        for (name, key, value) in document.named(section.fields["apps"], "apps") {
            guard let entry = document.section(value, "app \(name)", keys: ["image", "program", "manifest"]) else { continue }
            if PlanReader.knownApps.contains(name) { document.report(key, "'\(name)' comes with the testbed") }
            let app = Plan.App(
                image: entry.text("image").map(document.path(_:)), program: entry.text("program").map(document.path(_:)),
                manifest: entry.text("manifest").map(document.path(_:)))
            switch (app.image, app.program, app.manifest) {
            case (.some, nil, nil), (nil, .some, .some): plan.apps[name] = app
            default: document.report(key, "\(name): expected an image, or a program and a manifest")
            }
        }
    }
}
