using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;

namespace Bff.Configuration;

/// <summary>
/// Implements <c>--check-settings</c>: reads the same files and environment as the host, prints every mistake, and exits with 0 or 1 before
/// anything connects.
/// </summary>
internal sealed class SettingsCheck
{
    private const string Argument = "--check-settings";
    private readonly bool _isAskedFor;

    /// <summary>Whether this process was started with the argument. Known before there is a host.</summary>
    public static bool IsThisProcess { get; } = Environment.GetCommandLineArgs().Contains(Argument, StringComparer.Ordinal);

    private SettingsCheck(bool isAskedFor) => _isAskedFor = isAskedFor;

    /// <summary>Removes the argument from the command line, because otherwise the next argument would be read as its value.</summary>
    public static SettingsCheck Of(IConfigurationBuilder configuration)
    {
        var isAskedFor = false;
        var sources = configuration.Sources;
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i] is CommandLineConfigurationSource line && line.Args.Contains(Argument, StringComparer.Ordinal))
            {
                isAskedFor = true;
                sources[i] = new CommandLineConfigurationSource
                {
                    Args = [.. line.Args.Where(a => a != Argument)],
                    SwitchMappings = line.SwitchMappings,
                };
            }
        }

        return new(isAskedFor);
    }

    /// <summary>Ends the process if it was started only for the check. The settings have no mistake.</summary>
    public void EndIfAskedFor()
    {
        if (_isAskedFor)
        {
            Console.Out.WriteLine("The settings have no mistake.");
            Environment.Exit(0);
        }
    }
}
