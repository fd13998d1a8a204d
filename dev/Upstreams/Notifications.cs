using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

/// <summary>Notifications per user, and a WebSocket that receives each new one.</summary>
public sealed class Notifications : SampleService
{
    private const int KeptPerUser = 100;
    private const int Backlog = 64;
    private static readonly string[] Types = ["order.shipped", "price.drop", "review.reminder", "order.delivered"];

    private readonly SampleServicesOptions options;
    private readonly ConcurrentDictionary<Listener, bool> listeners = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<NotificationDocument>> boxes = [];
    private int lastId;

    internal Notifications(SampleServicesOptions options)
        : base("notifications")
    {
        this.options = options;
        ResetData();
    }

    /// <summary>Number of open WebSockets.</summary>
    public int ListenerCount => listeners.Count;

    /// <summary>Adds a notification and sends it to the user's WebSockets; returns its id.</summary>
    public string Push(string userId, string type, string title, string body)
    {
        NotificationDocument added;
        lock (gate)
        {
            added = new NotificationDocument($"n-{++lastId}", type, title, body, options.Time.GetUtcNow(), Read: false);
            if (boxes.TryGetValue(userId, out var box))
            {
                box.Insert(0, added);
                if (box.Count > KeptPerUser)
                    box.RemoveAt(box.Count - 1);
            }
        }
        var message = Json(added);
        foreach (var listener in listeners.Keys)
        {
            if (listener.UserId == userId)
                listener.Waiting.Writer.TryWrite(message);
        }
        return added.Id;
    }

    internal override void ResetData()
    {
        lock (gate)
        {
            boxes.Clear();
            lastId = 900_000;
            foreach (var user in People.All)
                boxes[user.Id] = [.. Enumerable.Range(0, 12).Select(i => Make(user, i))];
        }
    }

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["ws", "notifications"]) => StreamAsync(exchange),
            ("GET", ["users", var id, "notifications"]) => ListAsync(exchange, id),
            ("POST", ["users", var id, "notifications"]) => AddAsync(exchange, id),
            ("POST", ["users", var id, "notifications", var nid, "read"]) => ReadAsync(exchange, id, nid),
            (_, ["users", _, "notifications"]) => Answer.MethodNotAllowedAsync(exchange, "GET, POST"),
            (_, ["users", _, "notifications", _, "read"]) => Answer.MethodNotAllowedAsync(exchange, "POST"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private async Task ListAsync(Exchange exchange, string id)
    {
        if (await RefusedAsync(exchange, id) || await Paging.ReadAsync(exchange) is not { } paging)
            return;
        var unreadOnly = exchange.Request.Query["unread"] == "true";
        NotificationDocument[] items;
        int unread;
        lock (gate)
        {
            unread = boxes[id].Count(n => !n.Read);
            items = [.. boxes[id].Where(n => !unreadOnly || !n.Read).Take(paging.Limit)];
        }
        await Answer.ItemsAsync(exchange, [.. items.Select(Json)], Encoding.ASCII.GetBytes($",\"unreadCount\":{unread}"));
    }

    /// <summary>Adds a notification. For development only: an owning service would do this by itself.</summary>
    private Task AddAsync(Exchange exchange, string id)
    {
        try
        {
            using var body = JsonDocument.Parse(exchange.Body);
            var pushed = Push(id, Text(body, "type") ?? "message", Text(body, "title") ?? "Hello", Text(body, "body") ?? "");
            return Answer.JsonAsync(exchange, Encoding.ASCII.GetBytes($"{{\"id\":\"{pushed}\"}}"), 201);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Answer.ProblemAsync(exchange, 400, "malformed_request", "The body is not a notification.");
        }

        static string? Text(JsonDocument body, string member) =>
            body.RootElement.TryGetProperty(member, out var value) ? value.GetString() : null;
    }

    private async Task ReadAsync(Exchange exchange, string id, string nid)
    {
        if (await RefusedAsync(exchange, id))
            return;
        int at;
        lock (gate)
        {
            at = boxes[id].FindIndex(n => n.Id == nid);
            if (at >= 0)
                boxes[id][at] = boxes[id][at] with { Read = true };
        }
        await (at >= 0 ? Answer.NoContentAsync(exchange) : Answer.NotFoundAsync(exchange, "notification"));
    }

    private static async ValueTask<bool> RefusedAsync(Exchange exchange, string id)
    {
        var refusal = People.Find(id) is null ? 404 : Users.Refusal(exchange, id);
        if (refusal is null)
            return false;
        await (
            refusal == 404
                ? Answer.NotFoundAsync(exchange, "user")
                : Answer.ProblemAsync(exchange, 403, "not_your_notifications", "Notifications are their user's alone.")
        );
        return true;
    }

    private async Task StreamAsync(Exchange exchange)
    {
        if (!exchange.Context.WebSockets.IsWebSocketRequest)
        {
            await Answer.ProblemAsync(exchange, 400, "websocket_required", "This address speaks WebSocket.");
            return;
        }
        if ((exchange.Caller.User ?? exchange.Request.Query["userId"]) is not { Length: > 0 } userId)
        {
            await Answer.ProblemAsync(exchange, 401, "user_required", "Notifications belong to a user.");
            return;
        }

        using var socket = await exchange.Context.WebSockets.AcceptWebSocketAsync();
        var listener = new Listener(userId);
        NotificationDocument latest;
        lock (gate)
            latest = boxes.TryGetValue(userId, out var box)
                ? box[0]
                : new NotificationDocument("n-0", "welcome", "Welcome", "", options.Time.GetUtcNow(), Read: true);
        listener.Waiting.Writer.TryWrite(Json(latest));
        listeners[listener] = true;

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(exchange.Context.RequestAborted);
        try
        {
            await Task.WhenAll(
                UntilEndedAsync(ended, SendAsync(socket, listener, ended.Token)),
                UntilEndedAsync(ended, ListenAsync(socket, ended.Token)),
                UntilEndedAsync(ended, TickAsync(userId, ended.Token))
            );
        }
        finally
        {
            listeners.TryRemove(listener, out _);
        }
    }

    private static async Task UntilEndedAsync(CancellationTokenSource ended, Task work)
    {
        try
        {
            await work;
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException)
        {
            // The client disconnected, or another of the three tasks has ended.
        }
        finally
        {
            await ended.CancelAsync();
        }
    }

    private static async Task SendAsync(WebSocket socket, Listener listener, CancellationToken ct)
    {
        await foreach (var message in listener.Waiting.Reader.ReadAllAsync(ct))
            await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, ct);
    }

    private static async Task ListenAsync(WebSocket socket, CancellationToken ct)
    {
        var buffer = new byte[1024];
        while ((await socket.ReceiveAsync(buffer, ct)).MessageType != WebSocketMessageType.Close)
        {
            // Messages of clients are not part of the contract.
        }
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ct);
    }

    private async Task TickAsync(string userId, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(options.NotificationInterval, options.Time);
        for (var n = 1; await timer.WaitForNextTickAsync(ct); n++)
            Push(userId, "price.drop", $"Price drop {n}", "Something on your list is cheaper today.");
    }

    private static NotificationDocument Make(UserDocument user, int i) =>
        new(
            $"n-{user.Id[2..]}-{12 - i}",
            Types[i % Types.Length],
            $"About your order {12 - i}",
            "Your parcel has left our warehouse and is on its way to you.",
            Shop.Epoch.AddHours(-i * 9),
            Read: i >= 3 + user.Id[^1] % 3
        );

    private static ReadOnlyMemory<byte> Json(NotificationDocument notification) =>
        JsonSerializer.SerializeToUtf8Bytes(notification, DocumentJson.Plain.NotificationDocument);

    private sealed class Listener(string userId)
    {
        public string UserId { get; } = userId;
        public Channel<ReadOnlyMemory<byte>> Waiting { get; } =
            Channel.CreateBounded<ReadOnlyMemory<byte>>(
                new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest }
            );
    }
}
