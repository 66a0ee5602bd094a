/// The form of each kind of file that a run leaves. A number grows when an older reader would misread a newer file; files of another
/// number are refused. Files of before had none.
public enum Schema {
    public static let journal = 1
    public static let plan = 2
    public static let metrics = 1
}
