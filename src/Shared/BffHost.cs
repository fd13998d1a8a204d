using Bff.Configuration;
using Microsoft.AspNetCore.Builder;

namespace Bff;

/// <summary>Creates the builder of a gateway.</summary>
public static class BffHost
{
    /// <summary>
    /// Creates the framework's builder, which reads the settings files at once. If a file cannot be read, the host ends as for any other
    /// configuration mistake: with a line that names the file, and exit code 1.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">A settings file cannot be read.</exception>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        FailedStart.Watch();
        try
        {
            return WebApplication.CreateBuilder(args);
        }
        catch (DirectoryNotFoundException)
        {
            const string Cure =
                "no such folder. Name the folder with the settings files, or remove the setting to use the working directory.";
            throw new InvalidConfigurationException([new("contentRoot", Cure)]);
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or UnauthorizedAccessException)
        {
            // The outer message names the file; the innermost one names the place in it.
            var (file, place) = (unreadable.Message, unreadable.GetBaseException().Message);
            throw new InvalidConfigurationException([new("Settings file", file == place ? file : $"{file} {place}")]);
        }
    }
}
