using System.Reflection;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Architecture.Tests;

/// <summary>docs/log-messages.md lists what the code logs. <c>BFF_UPDATE_GOLDEN=1</c> rewrites it.</summary>
public sealed class LogMessagesPageTests
{
    private static readonly string File = Path.Combine(Source.Root, "docs/log-messages.md");

    private static readonly IReadOnlyList<(Type In, LoggerMessageAttribute Message)> Messages =
    [
        .. Source
            .Hosts.Prepend("Bff.Shared")
            .SelectMany(assembly => Source.Load(assembly).GetTypes())
            .SelectMany(type =>
                type.GetMethods(
                        BindingFlags.Static
                            | BindingFlags.Instance
                            | BindingFlags.Public
                            | BindingFlags.NonPublic
                            | BindingFlags.DeclaredOnly
                    )
                    .Select(method => (In: type, Message: method.GetCustomAttribute<LoggerMessageAttribute>()!))
            )
            .Where(m => m.Message is not null)
            .OrderBy(m => m.Message.EventId),
    ];

    [Fact]
    public void Every_message_has_an_id_and_a_name_of_its_own()
    {
        Assert.NotEmpty(Messages);
        Assert.All(Messages, m => Assert.True(m.Message.EventId > 0 && m.Message.EventName is { Length: > 0 }, m.Message.Message));
        Assert.Distinct(Messages.Select(m => m.Message.EventId));
        Assert.Distinct(Messages.Select(m => m.Message.EventName));
    }

    /// <summary>Each hundred of ids belongs to one folder, so that a new message finds its number.</summary>
    [Fact]
    public void A_hundred_ids_belong_to_one_folder() =>
        Assert.All(Messages.GroupBy(m => m.Message.EventId / 100), hundred => Assert.Single(hundred.Select(m => Room(m.In)).Distinct()));

    [Fact]
    public void The_page_is_what_the_code_logs()
    {
        var page = Page();
        if (Environment.GetEnvironmentVariable("BFF_UPDATE_GOLDEN") == "1")
        {
            System.IO.File.WriteAllText(File, page);
        }

        Assert.Equal(page, System.IO.File.ReadAllText(File));
    }

    private static string Page()
    {
        var page = new StringBuilder(
            """
            # Log messages

            Every message of the gateways has an event id and a name, which stay when its words change: build alerts and searches on them. Requests are not here: each writes one
            line of the [access log](operations.md#logs). This page is written from the code.

            | id | name | level | message |
            | --- | --- | --- | --- |

            """
        );
        foreach (var (_, message) in Messages)
        {
            page.Append($"| {message.EventId} | `{message.EventName}` | {message.Level} | {message.Message.Replace("|", "\\|")} |\n");
        }

        return page.ToString();
    }

    /// <summary>Returns a folder of Shared, or a host.</summary>
    private static string Room(Type type) =>
        type.Namespace!.Split('.') is ["Bff", var folder, ..] ? "Shared/" + folder : type.Namespace!.Split('.')[0];
}
