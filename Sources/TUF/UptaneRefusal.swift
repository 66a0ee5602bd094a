/// Why a full verification ended: by repository, code and clause of Uptane 2.1.0.
public struct UptaneRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// By the names that the public test vectors have for them.
    public enum Repository: String, CaseIterable, Sendable, CustomStringConvertible {
        case director
        case images = "image_repo"
        public var description: String { self == .director ? "director" : "image repository" }
    }

    public enum Cause: Equatable, Sendable {
        case metadata(TUFRefusal)
        /// The director delegates to this role.
        case delegation(String)
        case repeatedECU(String)
        /// A target for an ECU that the device does not have.
        case unknownECU(String, target: String)
        case noECU(target: String)
        /// The target is for this hardware, not for the ECU's; empty if it says of none.
        case hardware(target: String, ecu: String, stated: [String])
        case disagreement(target: String)
        case counterDisagreement(target: String, director: Int64, images: Int64?)
        /// Nil if the image has none, where one before had.
        case counter(target: String, offered: Int64?, trusted: Int64)
        case image(TUFRefusal)
        /// Nothing came that could be judged.
        case unreachable(String)
    }

    public let repository: Repository
    public let cause: Cause
    /// The role whose file was being checked.
    public let role: String

    public init(_ repository: Repository, _ role: String, _ cause: Cause) {
        self.repository = repository
        self.role = role
        self.cause = cause
    }

    public var code: String {
        switch cause {
        case .metadata(let refusal): refusal.code
        case .delegation: "director-delegation"
        case .repeatedECU: "repeated-ecu"
        case .unknownECU: "unknown-ecu"
        case .noECU: "no-ecu"
        case .hardware: "hardware"
        case .disagreement: "target-mismatch"
        case .counterDisagreement: "release-counter-mismatch"
        case .counter: "release-counter"
        case .image(let refusal): "image-\(refusal.code)"
        case .unreachable: "unreachable"
        }
    }

    /// Section and step of Uptane 2.1.0.
    public var clause: String {
        switch cause {
        case .metadata(.unknownTarget): "5.4.4.2 step 10.1"
        case .metadata(let refusal): UptaneRefusal.clause(refusal, role)
        case .delegation: "5.4.4.6 step 6"
        case .repeatedECU: "5.4.4.6 step 7"
        case .unknownECU: "5.4.4.6 step 8"
        case .noECU: "5.2.3.1"
        case .disagreement: "5.4.4.2 step 10.2.1"
        case .hardware where repository == .director: "5.4.3.4 step 3"
        case .hardware, .counterDisagreement: "5.4.4.2 step 10.2.2"
        case .counter: "5.4.4.2 step 10.2.3"
        case .image: "5.4.2.4"
        case .unreachable: "5.4.2.3"
        }
    }

    private static func clause(_ refusal: TUFRefusal, _ role: String) -> String {
        enum Check { case load, shape, together, signatures, versions, time }
        let check: Check =
            switch refusal {
            case .length, .missing, .unknownTarget, .noTrustedRoot, .tooManyRoots: .load
            case .malformed, .wrongType, .illegalThreshold: .shape
            case .hash: .together
            case .mismatch: role == "root" ? .versions : .together
            case .signatures, .repeatedSignature: .signatures
            case .rollback: .versions
            case .expired: .time
            }
        if check == .shape {
            if case .illegalThreshold(_, let delegator) = refusal { return delegator == "root" ? "5.2.2" : "5.2.3.2" }
            return ["root": "5.2.2", "timestamp": "5.2.5", "snapshot": "5.2.4"][role] ?? "5.2.3"
        }
        let steps: [Check: String]
        switch role {
        case "root": steps = [.load: "3 step 2.2", .signatures: "3 step 2.3", .versions: "3 step 2.4", .time: "3 step 3"]
        case "timestamp": steps = [.load: "4 step 1", .signatures: "4 step 2", .versions: "4 step 3", .time: "4 step 4"]
        case "snapshot":
            steps = [
                .load: "5 step 1", .together: "5 step 2", .signatures: "5 step 3", .versions: "5 steps 4 to 6", .time: "5 step 7",
            ]
        default:
            steps = [.load: "6 step 1", .together: "6 step 2", .signatures: "6 step 3", .versions: "6 step 4", .time: "6 step 5"]
        }
        return steps[check].map { "5.4.4.\($0)" } ?? "5.4.4.2"
    }

    public var description: String {
        let why =
            switch cause {
            case .metadata(let refusal), .image(let refusal): "\(refusal)"
            case .delegation(let role): "its targets delegate to \(role)"
            case .repeatedECU(let ecu): "two targets are for the ECU \(ecu)"
            case .unknownECU(let ecu, let target): "\(target) is for the ECU \(ecu), which is not here"
            case .noECU(let target): "\(target) is for no ECU"
            case .hardware(let target, let ecu, let stated) where stated.isEmpty: "\(target) is for no hardware, so not for \(ecu)'s"
            case .hardware(let target, let ecu, let stated):
                "\(target) is for hardware \(stated.joined(separator: ", ")), which \(ecu) is not"
            case .disagreement(let target): "length or hashes of \(target) are not the director's"
            case .counterDisagreement(let target, let director, let images):
                "release counter of \(target) is \(images.map { "\($0)" } ?? "missing"), by the director \(director)"
            case .counter(let target, let offered, let trusted):
                "release counter of \(target) is \(offered.map { "\($0)" } ?? "missing"), after \(trusted)"
            case .unreachable(let reason): reason
            }
        return "\(repository): \(why) (\(code); Uptane 2.1.0, \(clause))"
    }
}
