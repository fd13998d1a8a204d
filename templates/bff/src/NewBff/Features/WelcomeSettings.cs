using Bff.Configuration;

namespace NewBff.Features;

/// <summary>Section <c>Welcome</c>, which belongs to the host's team. The host does not start if it contains an undeclared key.</summary>
[Settings("Welcome")]
public sealed class WelcomeSettings
{
    /// <summary>How many picks the first screen shows.</summary>
    [Setting(Min = 1, Max = 50)]
    public int Picks { get; set; } = 10;
}
