namespace Bff.Life;

/// <summary>Section <c>Shutdown</c>.</summary>
public sealed class ShutdownOptions
{
    /// <summary>How long everything goes on after SIGTERM while the balancer takes notice; 0 to 5 minutes. The process's grace period must be 30 s longer.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);
}
