using Microsoft.AspNetCore.Connections;

namespace Bff.Configuration;

/// <summary>
/// Ends a host that cannot start because of something its operator can correct: one line per mistake, exit code 1. A stack trace and an
/// abort would hide that line and say nothing more.
/// </summary>
internal static class FailedStart
{
    private static int _isWatched;

    /// <summary>Watches the whole process from now on. Exceptions that tests and tools catch are not affected.</summary>
    public static void Watch()
    {
        if (Interlocked.Exchange(ref _isWatched, 1) == 0)
        {
            AppDomain.CurrentDomain.UnhandledException += static (_, failure) => End(failure.ExceptionObject);
        }
    }

    private static void End(object failure)
    {
        var reason = failure switch
        {
            InvalidConfigurationException mistakes when SettingsCheck.IsThisProcess => mistakes.Message,
            InvalidConfigurationException mistakes => "The host does not start. "
                + mistakes.Message
                + Environment.NewLine
                + "Instances that are already running refused the same edit (metric bff.settings.refused) and "
                + "keep the previous configuration until they stop. Undo or correct the edit now.",
            IOException { InnerException: AddressInUseException } taken => "The host does not start. " + taken.Message,
            _ => null, // A fault in the code, which needs its stack trace.
        };
        if (reason is not null)
        {
            Console.Error.WriteLine(reason);
            Environment.Exit(1);
        }
    }
}
