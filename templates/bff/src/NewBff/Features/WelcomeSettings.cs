using Bff.Configuration;

namespace NewBff.Features;

/// <summary>Section <c>Welcome</c>, the team's own. A key that is declared nowhere stops the host.</summary>
[Settings("Welcome")]
public sealed class WelcomeSettings
{
    /// <summary>How many picks the first screen shows.</summary>
    [Setting(Min = 1, Max = 50)]
    public int Picks { get; set; } = 10;
}
