namespace Architecture.Tests.Deploy;

/// <summary>Skips the test, with the reason, where kubectl is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KubectlTheoryAttribute : TheoryAttribute
{
    public KubectlTheoryAttribute() => Skip = Kubectl.IsInstalled ? null : Kubectl.Missing;
}

/// <summary>Skips the test, with the reason, where kubectl is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KubectlFactAttribute : FactAttribute
{
    public KubectlFactAttribute() => Skip = Kubectl.IsInstalled ? null : Kubectl.Missing;
}

internal static class Kubectl
{
    public const string Missing = "kubectl is not installed.";

    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, "kubectl")));
}
