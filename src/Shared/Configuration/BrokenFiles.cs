using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;

namespace Bff.Configuration;

/// <summary>
/// Records configuration files that could not be read after a change. The framework empties such a provider silently, which would look like
/// a valid configuration with everything removed.
/// </summary>
internal sealed class BrokenFiles
{
    private readonly ConcurrentDictionary<FileConfigurationProvider, string> _broken = new();

    /// <summary>Watches the files of a configuration that is already loaded.</summary>
    public static BrokenFiles Of(IConfigurationBuilder configuration)
    {
        var files = new BrokenFiles();
        foreach (var source in configuration.Sources.OfType<FileConfigurationSource>())
        {
            source.OnLoadException = files.Note;
        }

        return files;
    }

    /// <summary>Adds a mistake for every file that is still broken.</summary>
    public void Check(ConfigurationMistakes mistakes)
    {
        foreach (var (provider, reason) in _broken)
        {
            if (provider.GetChildKeys([], null).Any() || !Exists(provider.Source))
            {
                _broken.TryRemove(provider, out _); // It has been read since, or was deleted.
            }
            else
            {
                mistakes.Add(provider.Source.Path ?? "configuration file", $"cannot be read: {reason}");
            }
        }
    }

    private static bool Exists(FileConfigurationSource source) => source.FileProvider?.GetFileInfo(source.Path ?? "").Exists == true;

    private void Note(FileLoadExceptionContext context)
    {
        // Ignored, so that the change is still announced and the gate refuses it with this reason.
        context.Ignore = true;
        _broken[context.Provider] = (context.Exception.InnerException ?? context.Exception).Message;
    }
}
