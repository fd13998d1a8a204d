using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;

namespace Bff.Configuration;

/// <summary>
/// <c>--check-settings</c>: reads the same files and the same environment as the host, prints every mistake, and ends with 0 or 1 before
/// anything is connected to.
/// </summary>
internal sealed class SettingsCheck
{
    private const string Argument = "--check-settings";
    private readonly bool _isAskedFor;

    /// <summary>Whether this process was started for it; known before there is a host.</summary>
    public static bool IsThisProcess { get; } = Environment.GetCommandLineArgs().Contains(Argument, StringComparer.Ordinal);

    private SettingsCheck(bool isAskedFor) => _isAskedFor = isAskedFor;

    /// <summary>Takes the argument out of the command line: what stands after it would be taken for its value.</summary>
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

    /// <summary>Ends the process, if that was all it was started for; the settings have been found good.</summary>
    public void EndIfAskedFor()
    {
        if (_isAskedFor)
        {
            Console.Out.WriteLine("The settings have no mistake.");
            Environment.Exit(0);
        }
    }
}
