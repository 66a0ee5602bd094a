import Formats

extension ChipDescription.Access {
    var permission: Engine.Permission {
        switch self {
        case .read: .read
        case .readWrite: .readWrite
        case .readExecute: .readExecute
        case .readWriteExecute: .readWriteExecute
        }
    }
}
