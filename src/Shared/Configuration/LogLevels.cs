using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.Configuration;

/// <summary>
/// Finds invalid levels in <c>Logging</c>. The framework throws on one while it creates the log of a starting host, and silently ignores an
/// edit with one.
/// </summary>
internal static class LogLevels
{
    private const string Section = "LogLevel";

    public static void Check(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var logging = configuration.GetSection("Logging");
        var sections = logging.GetChildren().Select(provider => provider.GetSection(Section)).Prepend(logging.GetSection(Section));
        foreach (var level in sections.SelectMany(section => section.GetChildren()))
        {
            if (level.Value is { Length: > 0 } value && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _))
            {
                mistakes.Add(level.Path, $"is not one of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
            }
        }
    }
}
