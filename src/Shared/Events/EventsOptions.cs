using Microsoft.Extensions.Options;

namespace Bff.Events;

/// <summary>Section <c>Events</c>. The log keeps, for each user and each tenant, what is younger than <see cref="Retention"/>, but no more than the last <see cref="MaxLength"/>.</summary>
public sealed class EventsOptions
{
    /// <summary>The longest that a reader may have been away without loss; 1 s to 30 days. Default 1 h.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many events a reader may have missed without loss; 10 000 to 1 000 000. Default 10 000.</summary>
    public int MaxLength { get; set; } = 10_000;
}

internal sealed class EventsOptionsValidator : IValidateOptions<EventsOptions>
{
    public ValidateOptionsResult Validate(string? name, EventsOptions options)
    {
        var mistakes = new List<string>();
        if (options.Retention < TimeSpan.FromSeconds(1) || options.Retention > TimeSpan.FromDays(30))
        {
            mistakes.Add("Events:Retention: give a time span from 00:00:01 to 30.00:00:00.");
        }

        if (options.MaxLength is < 10_000 or > 1_000_000)
        {
            mistakes.Add("Events:MaxLength: give a number from 10000 to 1000000.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
