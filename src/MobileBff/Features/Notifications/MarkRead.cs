using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Requests;
using Bff.Routes;
using MobileBff.Features.Sync;
using MobileBff.Upstreams;

namespace MobileBff.Features.Notifications;

/// <param name="Id">Id of the notification.</param>
public sealed record ReadNotification([property: JsonRequired] string Id);

/// <summary>Marks one of the caller's notifications as read; the request is passed through.</summary>
internal static class MarkRead
{
    /// <summary>Marks a notification that the user read while the app was offline.</summary>
    public static async Task<StoredAnswer> Run(OperationCall operation) =>
        JsonBody.Parse(operation.Body.Utf8, MobileJson.Default.ReadNotification).TryGet(out var read, out var problem)
            ? operation.Answer(await operation.Make(operation.Service<INotifications>().MarkRead(operation.Caller.Subject, read.Id)))
            : operation.Answer(problem);

    public static Task Handle(string id, HttpContext context, Caller caller, PassThrough through, INotifications notifications) =>
        through.Send(context, notifications.MarkRead(caller.Subject, id));
}
